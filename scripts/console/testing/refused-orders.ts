import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { quoteIdentifier } from '../../../infra/postgres/identifiers.ts'
import { schemaName } from '../../../consumers/runtime/load-consumer.ts'
import { succeeded } from '../../testing/test-stack.ts'
import type { TestStack } from '../../testing/test-stack.ts'

/** Orders whose rows the database refuses until it is told to accept them. */
export interface RefusedOrders {
  /** How many orders are parked. */
  readonly orders: number
  /** Removes the fault: a redrive now succeeds. */
  accept(): Promise<void>
}

/** Parks about a quarter of the orders in order-status, by a constraint on its table. */
export async function refuseOrders({ sandbox, run, config }: TestStack): Promise<RefusedOrders> {
  const schema = quoteIdentifier(schemaName(config.namespace, 'order-status'))
  const alter = (change: string) => sandbox.pool.query(`alter table ${schema}.order_status ${change}`)
  await alter(`add constraint refused check (right(order_id, 1) not in ('0', '1', '2', '3')) not valid`)
  succeeded(await run('produce', 'OrderPlaced', '--count', '60', '--seed', '11'))
  const parked = async () => {
    const { rows } = await sandbox.pool.query<{ keys: number }>(
      `select count(distinct key)::int as keys from ${schema}.parked where reason <> 'UNREADABLE' and key <> 'o-parked'`,
    )
    return rows[0]?.keys ?? 0
  }
  await waitUntil('orders are refused', async () => (await parked()) > 5)
  // All 60 have been read when the last of those that are accepted has ended
  await waitUntil('the accepted orders have ended', async () => {
    const { rows } = await sandbox.pool.query<{ open: number }>(
      `select count(*)::int as open from ${schema}.order_status where ended_at is null and order_id <> 'o-parked'`,
    )
    return rows[0]?.open === 0
  })
  return {
    orders: await parked(),
    async accept() {
      await alter('drop constraint refused')
    },
  }
}
