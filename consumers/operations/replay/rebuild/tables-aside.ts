import { join } from 'node:path'
import type { Config } from '../../../../infra/config.ts'
import { TallyError } from '../../../../infra/errors.ts'
import { quoteIdentifier } from '../../../../infra/postgres/identifiers.ts'
import { migrate } from '../../../../infra/postgres/migrate.ts'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { consumerMigrations, consumerVersion, schemaName } from '../../../runtime/load-consumer.ts'
import type { ReplayContext } from '../mode.ts'
import { openReplayPool } from '../replay-schema.ts'

/** Schemas of a rebuild: the group's, that of its new tables, and that of its former tables. */
export interface Schemas {
  readonly live: string
  readonly aside: string
  readonly before: string
}

/** @throws TallyError USAGE without a group */
export function schemasOf(
  { config, definition }: Pick<ReplayContext, 'config' | 'definition'>,
  replay: number,
): Schemas {
  if (!definition) throw new TallyError('USAGE', 'rebuild needs a group: its tables are rebuilt')
  const live = schemaName(config.namespace, definition.group)
  return { live, aside: `${live}_rebuild_${replay}`, before: `${live}_before_${replay}` }
}

const ownFolder = (group: string) => consumerMigrations(group).filter(({ name }) => name === 'own')

/**
 * Creates a consumer's own tables of this version aside, unless they exist.
 * @throws TallyError PRECONDITION_FAILED if another version has begun to fill them: they would be half of one and half of the other
 */
export async function createAside(context: ReplayContext, { aside }: Schemas): Promise<void> {
  const { config, pool, definition, log } = context
  const group = definition?.group ?? ''
  await migrate({
    url: config.postgres.url,
    schema: aside,
    folders: [...ownFolder(group), { name: 'fold', path: join(import.meta.dirname, 'sql') }],
    log,
  })
  const version = consumerVersion(group)
  const { rows } = await pool.query<{ filling: string | null }>(
    `select obj_description($1::regnamespace, 'pg_namespace') as filling`,
    [quoteIdentifier(aside)],
  )
  const filling = rows[0]?.filling ?? version
  if (filling !== version)
    throw new TallyError(
      'PRECONDITION_FAILED',
      `the code of ${group} has changed since it began to fill these tables: cancel this replay and make a new plan`,
    )
  await pool.query(`comment on schema ${quoteIdentifier(aside)} is '${version}'`)
}

/** Connections that see the tables in a schema aside and those of the replays, but none of the group's. */
export const openAside = (config: Config, log: ReplayContext['log'], schema: string): Pool =>
  openReplayPool(config, log, schema)

/**
 * The consumer's own tables, which are swapped: with them the list of what was applied to make them.
 * @throws TallyError PRECONDITION_FAILED if something else than tables belongs to them
 */
export async function ownTables(tx: Tx, { aside }: Schemas): Promise<string[]> {
  const { rows } = await tx.query<{ name: string; kind: string }>(
    `select relname as name, relkind as kind from pg_class
     where relnamespace = $1::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
       and relname not in ('fold_position', 'fold_seen', 'migration_fold') order by relname`,
    [quoteIdentifier(aside)],
  )
  const other = rows.find(({ kind }) => kind !== 'r')
  if (other)
    throw new TallyError('PRECONDITION_FAILED', `${other.name} is no plain table: only plain tables can be swapped`)
  return rows.map(({ name }) => name)
}

/** Differences between the group's tables and this version's, a sentence each. */
export async function differences(tx: Tx, { live, aside }: Schemas): Promise<string[]> {
  const { rows } = await tx.query<{ table: string }>(
    `with columns as (
       select c.relname as name, c.relnamespace = $1::regnamespace as is_live, a.attname, a.atttypid, a.attnum, a.attnotnull
       from pg_attribute a join pg_class c on c.oid = a.attrelid
       where c.relnamespace in ($1::regnamespace, $2::regnamespace) and c.relkind = 'r' and a.attnum > 0
         and not a.attisdropped and c.relname in (
           select relname from pg_class where relnamespace = $2::regnamespace and relkind = 'r' and relname !~ '^(fold|migration)_'))
     select distinct name as table from (
       select name, attname, atttypid, attnotnull from columns
       group by name, attname, atttypid, attnotnull having count(*) <> 2) as differing order by name`,
    [quoteIdentifier(live), quoteIdentifier(aside)],
  )
  return rows.map(({ table }) => `table ${table} does not match this version: run npm run deploy`)
}

export async function schemaExists(tx: Tx, schema: string): Promise<boolean> {
  const { rows } = await tx.query('select 1 from pg_namespace where nspname = $1', [schema])
  return rows.length > 0
}

export const dropSchema = async (tx: Tx, schema: string): Promise<void> => {
  await tx.query(`drop schema if exists ${quoteIdentifier(schema)} cascade`)
}

/** Names of the schemas that earlier rebuilds of the group have kept its tables in. */
export const keptSchemas = async (tx: Tx, { live }: Schemas): Promise<string[]> =>
  (await schemasAside(tx, live)).filter((name) => name.startsWith(`${live}_before_`))

/**
 * Names of all schemas that rebuilds of a group have left: of its former tables, and of tables that were never swapped in.
 * @param live the group's own; one with a ledger is another group's, however it is called
 */
export async function schemasAside(tx: Tx, live: string): Promise<string[]> {
  const { rows } = await tx.query<{ name: string }>(
    `select nspname as name from pg_namespace
     where starts_with(nspname, $1) and substr(nspname, length($1) + 1) ~ '^_(before|rebuild)_[0-9]+$'
       and to_regclass(quote_ident(nspname) || '.ledger') is null
     order by nspname`,
    [live],
  )
  return rows.map(({ name }) => name)
}
