import type { Pool } from '../../../../infra/postgres/pool.ts'
import { prepared } from '../../../../infra/postgres/transaction.ts'

// A process whose connections are gone has ended. One that has just started may not have connected yet
const note = prepared(
  'replica_note',
  `with gone as (
     delete from replica where started_at < now() - interval '1 hour' and left(name, 63) not in
       (select application_name from pg_stat_activity where datname = current_database()))
   insert into replica (name, handles) values ($1, $2) on conflict (name) do update set handles = excluded.handles`,
)

/** Records which event types a replica handles. For operators only: a failure is no reason not to start. */
export async function noteReplica(pool: Pool, name: string, handles: readonly string[]): Promise<void> {
  await note(pool, name, handles).catch(() => {}) // Its tables are older than this code
}

/** A replica that is connected to the database. */
export interface RunningReplica {
  readonly name: string
  /** Event types; null: of a version that does not say. */
  readonly handles: readonly string[] | null
}

/**
 * The replicas of a consumer that run now: those that have said what they handle, and the owners of its lanes.
 * @param schema quoted; its tables may be older than this code
 */
export async function readRunningReplicas(pool: Pool, schema: string): Promise<RunningReplica[]> {
  const { rows: known } = await pool.query('select where to_regclass($1) is not null', [`${schema}.replica`])
  if (known.length === 0) return []
  const { rows } = await pool.query<RunningReplica>(
    `with connected as (select distinct application_name as name from pg_stat_activity where datname = current_database())
     select coalesce(r.name, l.owner) as name, r.handles
     from ${schema}.replica as r
       full join (select distinct owner from ${schema}.lane where owner is not null) as l on l.owner = r.name
     where left(coalesce(r.name, l.owner), 63) in (select name from connected) order by 1`,
  )
  return rows
}
