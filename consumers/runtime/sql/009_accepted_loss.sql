-- Offsets that a lane passed because the broker no longer has them: an operator accepted their loss. Where offsets
-- begin anew (the topic was re-created, or the partition truncated), resume_at says where the lane went on, which may
-- be before first_offset; the number of records lost unread is then unknown, and the range is empty.
alter table skipped
  add column cause     text   not null default 'skipped'
    check (cause in ('skipped', 'deleted', 'recreated', 'truncated')),
  add column resume_at bigint,
  drop constraint skipped_check,
  add constraint skipped_range check (next_offset > first_offset or resume_at is not null);
