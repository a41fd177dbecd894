import type { Kafka } from 'kafkajs'
import { schemaName } from '../../runtime/load-consumer.ts'
import { quoteIdentifier } from '../../../infra/postgres/identifiers.ts'
import { schemasAside } from '../replay/rebuild/tables-aside.ts'
import type { Config } from '../../../infra/config.ts'
import { withAdmin } from '../../../infra/kafka/admin.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'

/** The objects of a consumer on the servers. */
export interface Orphans {
  /** Consumer group on the broker; null if there is none. */
  readonly group: OrphanGroup | null
  /** Database schema; null if there is none. */
  readonly schema: string | null
  /** Schemas its rebuilds have left. */
  readonly aside: readonly string[]
  /** Numbers of rows of its own schema, by table; without empty tables. */
  readonly rows: RowCounts
}

export interface OrphanGroup {
  readonly id: string
  readonly members: number
}

export type RowCounts = Readonly<Record<string, number>>

/** Numbers of unsent events and unanswered calls, which exist only in these rows. */
export const lostWith = (rows: RowCounts) => ({
  parked: rows['parked'] ?? 0,
  unsent: rows['outbox_batch'] ?? 0,
  unanswered: rows['call'] ?? 0,
})

/** Counts every table: with a large inbox that takes minutes. @throws errors of pg and kafkajs */
export async function findOrphans(config: Config, kafka: Kafka, pool: Pool, consumer: string): Promise<Orphans> {
  const live = schemaName(config.namespace, consumer)
  const [group, tables, aside] = await Promise.all([
    findGroup(kafka, `${config.namespace}${consumer}`),
    tablesOf(pool, live),
    schemasAside(pool, live),
  ])
  // Only a consumer's schema has a ledger: that of the orders API is none
  const schema = tables.includes('ledger') ? live : null
  return { group, schema, aside, rows: schema === null ? {} : await countRows(pool, schema, tables) }
}

export const findGroup = (kafka: Kafka, id: string): Promise<OrphanGroup | null> =>
  withAdmin(kafka, async (admin) => {
    const { groups } = await admin.listGroups()
    if (!groups.some(({ groupId }) => groupId === id)) return null
    const described = await admin.describeGroups([id])
    return { id, members: described.groups[0]?.members.length ?? 0 }
  })

async function tablesOf(pool: Pool, schema: string): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select relname as name from pg_class join pg_namespace as n on n.oid = relnamespace
     where nspname = $1 and relkind in ('r', 'p') and not relispartition order by relname`,
    [schema],
  )
  return rows.map(({ name }) => name)
}

/** Numbers of rows of those of these tables that exist; of an outbox its events, of which a row holds several. */
export async function countRows(pool: Pool, schema: string, tables: readonly string[]): Promise<RowCounts> {
  const counts: [string, number][] = []
  for (const name of tables) {
    const { rows } = await pool.query<{ count: number }>(
      `select ${name === 'outbox_batch' ? 'coalesce(sum(last_seq - first_seq + 1), 0)::bigint as count' : 'count(*)'}
       from ${quoteIdentifier(schema)}.${quoteIdentifier(name)}`,
    )
    if (rows[0] && rows[0].count > 0) counts.push([name, rows[0].count])
  }
  return Object.fromEntries(counts)
}
