-- When a row was last written, by the database's clock: retention decides by it, because event times are their producers'.
-- Rows from before count from this migration on.
alter table order_status add column stored_at timestamptz not null default now();
