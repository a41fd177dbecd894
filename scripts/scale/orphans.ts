import type { Kafka } from 'kafkajs'
import { schemaName } from '../../consumers/load-consumer.ts'
import type { Config } from '../../infra/config.ts'
import { withAdmin } from '../../infra/kafka.ts'
import type { Pool } from '../../infra/postgres.ts'

/** What a consumer leaves behind on the servers. */
export interface Orphans {
  /** Consumer group on the broker; null if there is none. */
  readonly group: { readonly id: string; readonly members: number } | null
  /** Database schema; null if there is none. */
  readonly schema: string | null
  /** Rows by table, as far as there are any. */
  readonly rows: Readonly<Record<string, number>>
}

/** What would be lost with its rows: nobody else knows of it. */
export const lostWith = ({ rows }: Orphans) => ({
  parked: rows['parked'] ?? 0,
  unsent: rows['outbox'] ?? 0,
  unanswered: rows['call'] ?? 0,
})

/** @throws errors of pg and kafkajs */
export async function findOrphans(config: Config, kafka: Kafka, pool: Pool, consumer: string): Promise<Orphans> {
  const [group, tables] = await Promise.all([
    findGroup(kafka, `${config.namespace}${consumer}`),
    tablesOf(pool, schemaName(config.namespace, consumer)),
  ])
  return { group, ...tables }
}

const findGroup = (kafka: Kafka, id: string): Promise<Orphans['group']> =>
  withAdmin(kafka, async (admin) => {
    const { groups } = await admin.listGroups()
    if (!groups.some(({ groupId }) => groupId === id)) return null
    const described = await admin.describeGroups([id])
    return { id, members: described.groups[0]?.members.length ?? 0 }
  })

/** Only a consumer's schema has a ledger: that of the orders API is none. */
async function tablesOf(pool: Pool, schema: string): Promise<Pick<Orphans, 'schema' | 'rows'>> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select relname as name from pg_class join pg_namespace as n on n.oid = relnamespace
     where nspname = $1 and relkind in ('r', 'p') and not relispartition order by relname`,
    [schema],
  )
  if (!tables.some(({ name }) => name === 'ledger')) return { schema: null, rows: {} }
  const counts: [string, number][] = []
  for (const { name } of tables) {
    const { rows } = await pool.query<{ count: number }>(`select count(*) from "${schema}"."${name}"`)
    if (rows[0] && rows[0].count > 0) counts.push([name, rows[0].count])
  }
  return { schema, rows: Object.fromEntries(counts) }
}
