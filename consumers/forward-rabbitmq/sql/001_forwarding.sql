-- Messages that the queue has not confirmed. Those of a key are sent one after another, in the order of their numbers.
create table forwarding (
  key     text   not null, -- the order id, or the SKU for stock deliveries
  seq     bigint not null generated always as identity,
  message json,            -- null for the first of a key if it did not have to wait: its call has it
  primary key (key, seq)
);
