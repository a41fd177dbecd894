-- Tells the processes of this schema, on the channel of its name, that it is time to look (infra/notices/). Nothing depends
-- on a notice: they also look from time to time.
create function notice() returns trigger language plpgsql as $$ begin
  perform pg_notify(tg_table_schema, '');
  return null;
end $$;
-- A lane has a new owner, or moved to other topics. Batches, which only number events, do not come here.
create trigger notice after update of epoch, generation on lane for each row
  when (old.epoch <> new.epoch or old.generation <> new.generation) execute function notice();
