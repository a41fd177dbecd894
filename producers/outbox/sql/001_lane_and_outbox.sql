-- One row per partition number. Whoever writes events of a lane locks its row first, so lock order is number order.
create table lane (
  lane       integer     primary key,
  epoch      bigint      not null default 0, -- raised by each new owner: what an older owner still tries is refused
  next_seq   bigint      not null default 1, -- the number the lane's next event gets; no gaps, because the row is locked
  owner      text,                           -- replica that raised the epoch last
  claimed_at timestamptz,
  lease_until timestamptz                    -- used where lanes are leased instead of assigned by Kafka (orders API)
) with (fillfactor = 50);

-- Events a transaction wants published, final bytes. A row leaves after the broker acknowledged it.
create table outbox (
  lane     integer not null,
  seq      bigint  not null,
  event_id uuid    not null,
  topic    text    not null, -- without namespace
  key      text    not null,
  headers  text    not null, -- JSON object of strings
  value    bytea   not null, -- schema registry framing and Avro body
  primary key (lane, seq)
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);
