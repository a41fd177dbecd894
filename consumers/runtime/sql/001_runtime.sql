-- What became of every offset. One row per (topic, partition, ownership): the span of offsets that epoch took.
-- Spans tile each partition without gap or overlap; the newest span's next_offset is the group's position.
create table ledger (
  topic        text    not null, -- without namespace
  partition    integer not null,
  epoch        bigint  not null,
  first_offset bigint  not null,
  next_offset  bigint  not null,
  taken        bigint  not null default 0, -- took effect
  duplicates   bigint  not null default 0, -- id was in the inbox already
  ignored      bigint  not null default 0, -- of a type the group does not handle
  parked       bigint  not null default 0, -- waits in "parked", itself or behind its key
  holes        bigint  not null default 0, -- offsets without a record: control records, compaction
  topic_id     text,                       -- the broker's id of the topic: another id is another topic of the same name
  primary key (topic, partition, epoch),
  check (next_offset - first_offset = taken + duplicates + ignored + parked + holes)
) with (fillfactor = 50);

-- Ids of the events this group has taken. Ids that carry a time lie in the partition of their week and leave with it;
-- those before and after the weeks kept leave by age (see inbox-partitions.ts, which makes the partitions).
create table inbox (
  event_id uuid        not null primary key,
  taken_at timestamptz not null default now()
) partition by range (event_id);

-- Calls to the outside world that were decided and have no definite answer yet. The id is the idempotency key.
create table call (
  id              uuid        primary key,
  lane            integer     not null,
  key             text        not null,
  kind            text        not null,
  request         json        not null,
  cause           json        not null, -- envelope of the event that led to it: ids of what follows derive from it
  attempts        integer     not null default 0,
  next_attempt_at timestamptz not null default now(),
  last_error      text
);
create index call_lane on call (lane, next_attempt_at);

-- Things to decide later if nothing else has been decided until then.
create table timer (
  id     uuid        primary key,
  lane   integer     not null,
  key    text        not null,
  kind   text        not null,
  cause  json        not null,
  due_at timestamptz not null
);
create index timer_lane on timer (lane, due_at);

-- Events that could not be handled, and every later event of their key, in order.
create table parked (
  id           bigint      generated always as identity primary key, -- order within a key
  lane         integer     not null,
  key          text        not null,
  source       text        not null, -- record, answer or timer
  topic        text,
  partition    integer,
  "offset"     bigint,
  event_id     uuid,
  type         text,
  reason       text        not null, -- code; BEHIND = only waits for its key
  error        text,
  headers      json,
  record_key   bytea,
  value        bytea,                -- raw bytes of the record, or JSON of the answer or timer
  attempts     integer     not null default 1,
  parked_at    timestamptz not null default now()
);
create index parked_key on parked (lane, key, id);
