-- What is needed to try a parked event again, and to show it to a person.
alter table parked
  add column revision        integer     not null default 0,     -- grows with each attempt and edit: a retry counts only if nothing changed since it was read
  add column stack           text,
  add column record_time     bigint,                             -- timestamp of the record, UTC epoch ms
  add column last_attempt_at timestamptz not null default now(),
  add column next_attempt_at timestamptz;                        -- when the lane's owner tries it again; null = behind another, or waits for a person
create index parked_due on parked (lane, next_attempt_at) where next_attempt_at is not null;

-- What was done with parked events, and by whom. One row per event and action, kept for good.
create table parked_audit (
  id        bigint      generated always as identity primary key,
  parked_id bigint      not null,
  lane      integer     not null,
  key       text        not null,
  source    text        not null,
  topic     text,
  partition integer,
  "offset"  bigint,
  event_id  uuid,
  action    text        not null check (action in ('HANDLED', 'DUPLICATE', 'DROPPED', 'EDITED', 'REDRIVE_ASKED')),
  actor     text        not null, -- a person's name, or the replica
  why       text,
  before    bytea,                -- value before an edit or a drop
  headers   json,                 -- headers before an edit or a drop
  at        timestamptz not null default now()
);
create index parked_audit_event on parked_audit (parked_id);

-- How a lane is, as its owner says, and what is known of attempts that did not end.
create table lane_state (
  lane           integer     primary key,
  epoch          bigint      not null,
  phase          text        not null, -- live, paused (by a person), waiting (it will go on by itself), stopped (a person must decide)
  reason         text,
  since          timestamptz not null default now(),
  starts         integer     not null default 0, -- claims since the last batch that ended: the process may have died of one
  suspect        text,                           -- first of the inputs that were being handled when starts were being counted
  suspect_inputs integer     not null default 0, -- how many they were
  suspect_starts integer     not null default 0  -- how often just these were begun
);

-- Lanes a person wants to stand still.
create table pause (
  lane   integer     primary key,
  reason text        not null,
  actor  text        not null,
  at     timestamptz not null default now()
);
