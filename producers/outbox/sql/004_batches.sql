-- Unpublished events, encoded once: one row per transaction, lane and topic with the records as they are sent.
create table outbox_batch (
  lane        integer     not null,
  first_seq   bigint      not null,
  last_seq    bigint      not null, -- inclusive; the numbers in between are all of this row
  topic       text        not null, -- without namespace
  compression smallint    not null, -- as in the attributes of a Kafka record batch: 0 none, 4 zstd
  bytes       integer     not null, -- of the records before compression
  records     bytea       not null, -- Kafka's record format 2, offsets from 0 on
  written_at  timestamptz not null default now(),
  primary key (lane, first_seq)
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000,
  toast_tuple_target = 8160); -- Rows of up to a page stay in one piece: apart, each 2 KB would have a row and an index entry
alter table outbox_batch alter column records set storage external; -- Compressed already, where that pays

lock table outbox in access exclusive mode;

create function varint(value bigint) returns bytea language plpgsql immutable as $$
declare
  rest bigint := case when value < 0 then 1 else value << 1 end; -- Zigzag; of negative numbers only -1 occurs
  bytes bytea := '';
begin
  while rest > 127 loop
    bytes := bytes || set_byte('\x00', 0, (rest & 127)::int | 128);
    rest := rest >> 7;
  end loop;
  return bytes || set_byte('\x00', 0, rest::int);
end $$;
create function sized(value bytea) returns bytea language sql immutable as
  $$ select varint(length(value)) || value $$;

-- What still waits moves: each event becomes a batch of its own.
insert into outbox_batch (lane, first_seq, last_seq, topic, compression, bytes, records)
select lane, seq, seq, topic, 0, length(record), record
from (select lane, seq, topic, varint(length(body)) || body as record
  from (select lane, seq, topic, '\x000000'::bytea || sized(convert_to(key, 'utf8')) || sized(value)
      || varint((select count(*) from json_each_text(headers::json)))
      || coalesce((select string_agg(sized(convert_to(h.key, 'utf8')) || sized(convert_to(h.value, 'utf8')), '' order by n)
           from json_each_text(headers::json) with ordinality as h (key, value, n)), '') as body
    from outbox) as bodies) as converted;
delete from outbox;
drop function sized(bytea);
drop function varint(bigint);

-- Replicas of an older version must write nothing here: no one would publish it. They take this error for an outage and
-- wait, until they are replaced.
create function refuse_outdated() returns trigger language plpgsql as $$ begin
  raise exception 'this replica is of a version that has been replaced' using errcode = '55000';
end $$;
create trigger outdated before insert on outbox for each statement execute function refuse_outdated();
