-- How often the cancellation of an order was requested here. A request is open until shipping has answered it; the
-- projection knows how often it refused, and an order that was cancelled has ended.
create table cancellation (
  order_id     text        primary key,
  requests     integer     not null,
  requested_at timestamptz not null default now() -- the last one
);
