-- Orders that were imported, as they were first: what identifies one is its source and its number there.
create table imported_order (
  source       text        not null,
  order_number text        not null,
  order_id     text        not null unique,
  event_id     text        not null,
  data         jsonb       not null, -- of OrderPlaced
  sent         boolean     not null default false, -- Kafka has acknowledged it
  imported_at  timestamptz not null default now(),
  primary key (source, order_number)
);
create index imported_order_unsent on imported_order (order_id) where not sent;

-- Stock that was delivered for imports; a later one delivers only what is missing.
create table imported_delivery (
  event_id       text    primary key,
  sku            text    not null,
  quantity       integer not null check (quantity > 0),
  replenished_at bigint  not null, -- UTC epoch ms
  sent           boolean not null default false
);
create index imported_delivery_sku on imported_delivery (sku);
