-- Articles that can be ordered, and their list prices.
create table product (
  sku              text        primary key,
  name             text        not null,
  currency         text        not null, -- ISO 4217
  unit_price_minor bigint      not null check (unit_price_minor > 0),
  updated_at       timestamptz not null default now()
);

-- Orders as accepted. Written together with their OrderPlaced in the outbox, never changed: what became of them is for
-- other services to say.
create table placed_order (
  order_id    text        primary key,
  event_id    uuid        not null, -- of its OrderPlaced
  customer_id text        not null,
  currency    text        not null,
  total_minor bigint      not null,
  lines       json        not null,
  ship_to     json        not null,
  placed_at   timestamptz not null
);

-- Answers given under an Idempotency-Key. A repeat gets the same answer; rows leave by age.
create table idempotency (
  key         text        primary key,
  fingerprint bytea       not null, -- SHA-256 of what was asked
  reply       json        not null, -- status, headers and body, as text they were given
  answered_at timestamptz not null default now()
);
create index idempotency_answered_at on idempotency using brin (answered_at);

-- What the registry calls the schemas of the events this service writes, stored at deployment: accepting an order needs
-- no registry. The fingerprint is that of the schema itself, so that a replica of another version finds its own id.
create table schema_id (
  event_type  text    not null,
  fingerprint text    not null, -- SHA-256 of the schema
  schema_id   integer not null,
  primary key (event_type, fingerprint)
);
