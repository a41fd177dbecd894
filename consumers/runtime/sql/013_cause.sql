-- Why an event is parked, without what differs from event to event: eight characters that are the same for events of
-- one cause. Kept with the row, because operators look at thousands of rows at a time.
alter table parked add column cause text generated always as (left(md5(
  reason || '|' || source || coalesce('|' || type, '') || '|' || regexp_replace(
    regexp_replace(left(coalesce(error, ''), 300), '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '‹id›', 'gi'),
    '\d+', '‹n›', 'g')), 8)) stored;

-- The audit of a key, newest first.
create index parked_audit_key on parked_audit (key, id);
