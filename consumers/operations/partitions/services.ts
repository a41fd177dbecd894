import type { Config } from '../../../infra/config.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { deployedOf, ordersWriter, readGroups } from '../groups.ts'
import type { Group, Writer } from '../groups.ts'

/** All services that have lanes. */
export interface Services {
  readonly orders: Writer
  readonly groups: readonly Group[]
}

/** The services whose tables exist. A consumer that was never deployed has nothing to move. */
export async function readServices(config: Config, pool: Pool): Promise<Services> {
  return { orders: ordersWriter(config), groups: (await deployedOf(pool, await readGroups(config))).deployed }
}

/** Sets the transaction's search path to that of the service. */
export const enter = (tx: Tx, { schema }: Writer): Promise<unknown> => tx.query(`set local search_path to ${schema}`)
