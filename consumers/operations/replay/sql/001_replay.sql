-- Replays: who replayed what, when, why and how far. One schema for all groups of a namespace; kept for good.
create table replay (
  id         bigint      generated always as identity primary key,
  plan_id    text        not null,               -- hash of the plan
  mode       text        not null check (mode in ('redeliver', 'rebuild', 'reprocess', 'copy')),
  target     text        not null,               -- group, or "topic <name>" that is copied to
  plan       json        not null,
  options    json        not null,               -- how it is run: rate, limits, what was accepted
  actor      text        not null,
  why        text,
  state      text        not null default 'running'
             check (state in ('running', 'paused', 'stopped', 'done', 'cancelled', 'undone')),
  reason     text,                               -- why it is paused or stopped: a clause for people
  wanted     text        not null default 'run' check (wanted in ('run', 'pause', 'cancel')),
  run        integer     not null default 1,     -- raised by each resume: what an earlier runner still tries is refused
  runner     text        not null,               -- host and process that runs it, for people
  result     json,                               -- figures of what it did, by mode
  created_at timestamptz not null default now(),
  ended_at   timestamptz
);
-- One replay of a target at a time: running, or waiting to be resumed.
create unique index replay_open on replay (target) where state in ('running', 'paused', 'stopped');

-- How far it is. Written in the transaction of the effects, where there are any.
create table replay_partition (
  replay      bigint  not null references replay,
  topic       text    not null, -- without namespace
  partition   integer not null,
  from_offset bigint  not null,
  to_offset   bigint  not null, -- exclusive, pinned by the plan
  next_offset bigint  not null,
  scanned     bigint  not null default 0, -- records read
  selected    bigint  not null default 0, -- of them, those the plan means
  before      bigint,           -- where the group stood when the replay began
  primary key (replay, topic, partition)
);

-- Events a replay was told to pass over because they failed.
create table replay_failure (
  replay    bigint  not null references replay,
  topic     text    not null,
  partition integer not null,
  "offset"  bigint  not null,
  key       text,
  type      text,
  reason    text    not null,
  error     text,
  primary key (replay, topic, partition, "offset")
);
