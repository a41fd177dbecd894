-- An order that has ended withdraws its timers: they are found by its key.
create index timer_key on timer (key);
