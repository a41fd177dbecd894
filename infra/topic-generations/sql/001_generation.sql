-- Generations of the topics: each has its own partition count. The newest one that has been switched to is the current one;
-- one above it is being prepared. Kept for good.
create table generation (
  number      integer     primary key check (number >= 1),
  partitions  integer     not null check (partitions between 1 and 1000),
  actor       text        not null,
  why         text,
  began_at    timestamptz not null default now(),
  switched_at timestamptz,
  cut         json, -- where the topics of the generation before ended: what lies behind was written past the switch
  sealed_at   timestamptz -- when the broker was told to take no more into them
);
