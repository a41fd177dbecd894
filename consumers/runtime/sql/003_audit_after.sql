-- What a person made of an event: without it nobody could tell what took effect once the parked row has left.
alter table parked_audit add column after bytea;
