-- What personal data of a customer is sealed with, wherever it lies. To forget the customer, the key is erased; the row
-- stays, so that nobody takes an erased key for one that was lost. A customer who returns gets another key.
create table customer_key (
  id          bigint      generated always as identity primary key, -- as in sealed texts
  customer_id text        not null,
  key         bytea,      -- 32 random bytes
  created_at  timestamptz not null default now(),
  erased_at   timestamptz,
  check ((key is null) = (erased_at is not null))
);
create unique index customer_key_live on customer_key (customer_id) where key is not null;

-- Which customers were forgotten, by whom and why. Kept for good, and without anything that was forgotten.
create table forgetting (
  id          bigint      generated always as identity primary key,
  customer_id text        not null,
  actor       text        not null,
  why         text        not null,
  began_at    timestamptz not null default now(), -- the keys were erased in the same transaction
  ended_at    timestamptz,                        -- null: clear text from before there were keys may be left
  result      json
);
create index forgetting_customer on forgetting (customer_id);
