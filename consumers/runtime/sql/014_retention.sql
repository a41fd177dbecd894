-- How far the deletion of old rows has come, by kind: 'audit', 'state'. Locked by the process whose slice it is.
create table retention (
  what       text        primary key,
  next_block bigint      not null default 0,    -- of the table, by its physical order
  due_at     timestamptz not null default now() -- of the next slice, or of the next pass over the table
);
insert into retention (what) values ('audit'), ('state');

-- What was deleted: each row that left is counted here in the transaction that deleted it.
create table retired (
  lane   integer not null,
  what   text    not null, -- 'audit', 'state'
  detail text    not null, -- of an audit row its action and source: 'HANDLED record'
  rows   bigint  not null,
  primary key (lane, what, detail)
);
