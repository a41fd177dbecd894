import type { Config } from '../../infra/config.ts'
import type { Pool, Tx } from '../../infra/postgres.ts'
import { ordersWriter, readGroups } from '../verify/database.ts'
import type { Group, Writer } from '../verify/database.ts'

/** Everything that has lanes. */
export interface Services {
  readonly orders: Writer
  readonly groups: readonly Group[]
}

/** The services whose tables exist; a consumer that was never deployed has nothing to move. */
export async function readServices(config: Config, pool: Pool): Promise<Services> {
  const groups = await readGroups(config)
  const { rows } = await pool.query<{ schema: string }>(
    `select schema from unnest($1::text[]) as schema where to_regclass(schema || '.ledger') is not null`,
    [groups.map(({ schema }) => schema)],
  )
  const deployed = new Set(rows.map(({ schema }) => schema))
  return { orders: ordersWriter(config), groups: groups.filter(({ schema }) => deployed.has(schema)) }
}

/** Has the transaction's statements see a service's tables, as the service itself does. */
export const enter = (tx: Tx, { schema }: Writer): Promise<unknown> => tx.query(`set local search_path to ${schema}`)
