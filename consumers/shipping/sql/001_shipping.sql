-- How far the delivery of each order is.
create table shipment (
  order_id    text    primary key,
  phase       text    not null check (phase in ('gathering', 'scheduling', 'scheduled', 'cancelled', 'rejected')),
  authorized  boolean,
  reserved    boolean,
  units       integer, -- of all articles together
  recipient   text,    -- the address leaves this table as soon as the carrier is told or the order is over
  street      text,
  city        text,
  postal_code text,
  country     text,
  check (num_nonnulls(authorized, reserved) = case phase when 'gathering' then 2 else 0 end),
  check (num_nonnulls(units, recipient, street, city, postal_code, country) in (0, 6)),
  check (units is null or phase = 'gathering')
) with (fillfactor = 70);
