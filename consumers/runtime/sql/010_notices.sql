-- See producers/outbox/sql/003_notices.sql: an operator paused or resumed lanes, or something made parked events due now.
create trigger notice after insert or update or delete on pause for each statement execute function notice();
create trigger notice after update of next_attempt_at on parked for each row
  when (new.next_attempt_at <= now()) execute function notice();
