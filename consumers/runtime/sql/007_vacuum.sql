-- Rows of these tables live for seconds, and the poll looks for the first due one: dead entries at the front of their
-- indexes must leave soon. Autovacuum would wait for a fifth of the table's largest size.
alter table call set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);
alter table timer set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);
