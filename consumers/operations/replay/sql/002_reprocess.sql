-- Events a replay under way has handled: an event may lie in the log twice, and handling it again must not double it.
create table replay_handled (
  replay   bigint not null references replay,
  event_id uuid   not null,
  primary key (replay, event_id)
);
