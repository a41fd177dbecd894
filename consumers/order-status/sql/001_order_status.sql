-- One row per order: where it stands, a function of the set of events seen.
create table order_status (
  order_id    text        primary key,
  status      text        not null, -- placed, authorized, reserved, ready, shipping; completed, cancelled, rejected
  reason      text,                 -- code of why it was cancelled or rejected
  seen        text[]      not null, -- types of the events seen
  customer_id text,                 -- null until OrderPlaced is seen, which need not come first
  currency    text,
  total_minor bigint,
  placed_at   timestamptz,
  updated_at  timestamptz not null, -- time of the latest event
  ended_at    timestamptz,          -- time of the event that ended it
  entries     integer     not null  -- length of its timeline: the last seq given
) with (fillfactor = 70);

-- What happened to each order, in the order this service learned of it. Append only.
create table timeline (
  order_id  text        not null,
  seq       integer     not null, -- 1, 2, 3 … per order
  event_id  text        not null,
  type      text        not null,
  time      timestamptz not null, -- when it happened
  topic     text,                 -- where the event lies
  partition integer,
  "offset"  bigint,
  summary   text        not null, -- for people; no personal data
  primary key (order_id, seq)
);
