-- Where the deletion of old idempotency keys continues. One row, locked by the replica whose turn it is.
create table idempotency_sweep (
  next_block bigint      not null default 0,    -- of the table, by its physical order
  due_at     timestamptz not null default now() -- of the next turn
);
insert into idempotency_sweep default values;
