-- Where the money of each order is.
create table payment (
  order_id         text   primary key,
  phase            text   not null check (phase in ('unplaced', 'closed', 'authorizing', 'declined',
                                                    'authorized', 'voiding', 'voided', 'capturing', 'captured')),
  verdict          text   check (verdict in ('open', 'void', 'capture')), -- what the other services want, while there is no hold
  authorization_id text,                          -- the gateway's id of the hold
  amount_minor     bigint check (amount_minor >= 0), -- minor units of the currency
  currency         text,                          -- ISO 4217
  check ((verdict is not null) = (phase in ('unplaced', 'authorizing'))),
  check ((authorization_id is not null) = (phase in ('authorized', 'voiding', 'voided', 'capturing', 'captured'))),
  check ((amount_minor is not null and currency is not null)
         = (phase in ('authorizing', 'authorized', 'voiding', 'voided', 'capturing', 'captured')))
) with (fillfactor = 70);
