-- A lane belongs to one generation of the topics. Processes that know another can neither take it over nor write in it.
alter table lane add column generation integer not null default 1;

-- Numbers a lane gave to events that moved to another lane when the partition count changed, and have another number there.
create table withdrawn (
  generation integer not null, -- the one they moved to
  lane       integer not null,
  first_seq  bigint  not null,
  next_seq   bigint  not null,
  primary key (generation, lane)
);
