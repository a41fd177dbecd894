-- Beside the tables of a consumer that are filled apart from its live ones: how far they are, so that they can be filled on.
create table fold_position (
  topic       text    not null, -- without namespace
  partition   integer not null,
  next_offset bigint  not null,
  primary key (topic, partition)
);

-- Ids of the events they hold, 16 bytes each, a row per transaction: an event may lie in the log twice. Read as a whole only.
create table fold_seen (
  partition integer not null,
  ids       bytea   not null
);
