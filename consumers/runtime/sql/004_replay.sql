-- A span of a replay takes offsets again that other spans hold already: [first_offset, again_until), then the lane goes on at
-- resume_at, where it had been before.
alter table ledger
  add column replay      bigint,
  add column again_until bigint,
  add column resume_at   bigint,
  add constraint ledger_replay check (num_nonnulls(replay, again_until, resume_at) in (0, 3) and next_offset <= again_until);
