-- Operators look for orders by customer and by tracking number. Both are written once for an order, so its later
-- updates stay within their page; an index on status or updated_at would end that.
create index order_status_customer on order_status (customer_id);
create index timeline_tracking on timeline (substring(summary from '\S+$')) where type = 'ShipmentScheduled';
