-- What would be sent: at most one mail per order and kind. Append only.
create table mail (
  order_id text        not null,
  kind     text        not null, -- received, shipped, payment_declined, out_of_stock, cancelled
  subject  text        not null,
  event_id text        not null, -- event that made us write
  time     timestamptz not null, -- when that event happened
  primary key (order_id, kind)
);
