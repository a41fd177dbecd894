import type { Pool } from '../../../infra/postgres/pool.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { reachDatabase } from '../reach-database.ts'

/** A request to cancel an order, by the number of those before it. */
export interface NewCancellation {
  readonly orderId: string
  /** Requests before this one, all answered. */
  readonly before: number
}

const read = prepared<{ requests: number }>(
  'cancellation_read',
  'select requests from cancellation where order_id = $1',
)

/** How often the cancellation of an order was requested. @throws TallyError UNREACHABLE */
export const countRequests = async (pool: Pool, orderId: string): Promise<number> =>
  (await reachDatabase(() => read(pool, orderId)))[0]?.requests ?? 0

const add = prepared<{ order_id: string }>(
  'cancellation_add',
  `insert into cancellation as c (order_id, requests)
   select order_id, before + 1 from unnest($1::text[], $2::int[]) as new (order_id, before)
   on conflict (order_id) do update set requests = excluded.requests, requested_at = now()
     where c.requests = excluded.requests - 1
   returning order_id`,
)

/**
 * Adds requests, each unless another one came in between: of two at once, one is added.
 * @param requests at most one per order
 * @returns the orders of those added
 */
export async function addRequests(tx: Tx, requests: readonly NewCancellation[]): Promise<Set<string>> {
  // In one fixed order: two transactions may wait for each other, but never deadlock
  const sorted = requests.toSorted((a, b) => (a.orderId < b.orderId ? -1 : 1))
  const added = await add(
    tx,
    sorted.map(({ orderId }) => orderId),
    sorted.map(({ before }) => before),
  )
  return new Set(added.map(({ order_id }) => order_id))
}
