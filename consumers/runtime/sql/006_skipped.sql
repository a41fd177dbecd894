-- Offsets that an operator had a lane pass without reading them. The ledger counts them as holes of the same epoch.
create table skipped (
  topic        text        not null, -- without namespace
  partition    integer     not null,
  epoch        bigint      not null,
  first_offset bigint      not null,
  next_offset  bigint      not null check (next_offset > first_offset),
  actor        text        not null,
  why          text        not null,
  at           timestamptz not null default now(),
  primary key (topic, partition, epoch)
);
