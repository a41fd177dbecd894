-- What the running replicas can handle, for operators: a type that a replica does not know is ignored by it.
create table replica (
  name       text        primary key, -- as the owner of lanes; a replica has a new name after each start
  handles    text[]      not null,    -- event types
  started_at timestamptz not null default now()
);
