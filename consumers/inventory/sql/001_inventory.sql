-- Units per article. Every unit that ever arrived is in exactly one of three places.
create table stock (
  sku         text   primary key,
  on_hand     bigint not null check (on_hand >= 0),
  reserved    bigint not null check (reserved >= 0),
  shipped     bigint not null check (shipped >= 0),
  replenished bigint not null check (replenished = on_hand + reserved + shipped)
) with (fillfactor = 50);

-- What was set aside for each order; the nth SKU goes with the nth quantity.
create table reservation (
  order_id   text      primary key,
  phase      text      not null check (phase in ('unplaced', 'closed', 'scheduled', 'rejected', 'reserved', 'released', 'shipped')),
  skus       text[]    not null,
  quantities integer[] not null,
  check (cardinality(skus) = cardinality(quantities)),
  check ((cardinality(skus) > 0) = (phase in ('reserved', 'released', 'shipped')))
) with (fillfactor = 70);
