-- What the carrier agreed to, as ShipmentScheduled says it: carrier, trackingNumber, labelUrl, pickupFrom, pickupUntil
-- (epoch ms). Null until then, and for orders that were scheduled before this column: a rebuild fills it in.
alter table order_status add column shipment json;
