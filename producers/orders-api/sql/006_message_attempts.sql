-- Messages of queues that came again and again, while a bridge works on one of them and on nothing else. A row that is
-- there when its message comes once more says that an attempt did not end.
create table message_attempt (
  key      text        primary key, -- hash of the queue's and the message's names
  begun    integer     not null,    -- attempts
  begun_at timestamptz not null default now()
);
