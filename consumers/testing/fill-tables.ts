import type { Pool } from '../../infra/postgres/pool.ts'

/**
 * Fills every table of the connection's schema with rows of different keys that need not make sense, and keeps autovacuum
 * away, so that the planner has no statistics. Checks of the tables are dropped, and triggers
 * disabled.
 * @param rows number per table
 */
export async function fillTables(pool: Pool, rows: number): Promise<void> {
  const { rows: tables } = await pool.query<{ name: string; kind: string; columns: string[]; values: string[] }>(
    `select c.relname as name, c.relkind as kind, array_agg(quote_ident(attname) order by attnum) as columns,
       array_agg(case
         when attndims > 0 then format('array[]::%s', format_type(atttypid, atttypmod))
         when typname = 'uuid' then 'gen_random_uuid()'
         when typcategory = 'N' then 'n'
         when typcategory = 'B' then 'true'
         when typcategory = 'D' then $1
         when typname in ('json', 'jsonb') then $2
         when typname = 'bytea' then $3
         else $4 end order by attnum) as values
     from pg_class c join pg_attribute a on a.attrelid = c.oid and attnum > 0 and not attisdropped and attidentity = ''
         and attgenerated = ''
       join pg_type t on t.oid = atttypid
     where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and not starts_with(c.relname, 'migration_')
     group by 1, 2`,
    [`timestamptz '2026-01-01' + n * interval '1 s'`, `'{}'::json`, `'\\x00'::bytea`, `'key ' || n`],
  )
  const { rows: checks } = await pool.query<{ table: string; name: string }>(
    `select conrelid::regclass::text as table, quote_ident(conname) as name from pg_constraint
     where connamespace = current_schema()::regnamespace and contype = 'c' and conislocal`,
  )
  for (const { table, name } of checks) await pool.query(`alter table ${table} drop constraint ${name}`)
  for (const { name, kind, columns, values } of tables) {
    if (kind === 'r') await pool.query(`alter table ${name} set (autovacuum_enabled = off)`)
    await pool.query(`alter table ${name} disable trigger user`)
    await pool.query(
      `insert into ${name} (${columns.join()}) select ${values.join()} from generate_series(1, ${rows}) as n`,
    )
  }
}
