import type { Pool } from '../../../infra/postgres/pool.ts'
import { personalFields } from '../../../schemas/personal-data.ts'
import { topicOf } from '../../../schemas/topics.ts'
import type { OrderTables } from './customer-orders.ts'

/** The personal fields of an address, each empty. */
const blank = JSON.stringify(Object.fromEntries(personalFields('OrderPlaced').map((path) => [path.at(-1), ''])))

/** Whether an address (a column of JSON) holds clear text: from before there were keys. */
const isClear = (address: string): string =>
  `exists (select from jsonb_each_text(${address}::jsonb) as part (name, text)
     where '${blank}'::jsonb ? name and text <> '' and text not like 'sealed:1:%')`

/** Orders with an address in clear, and how long Kafka keeps the events of the newest; null if it has none any more. */
export interface ClearOrders {
  readonly orders: number
  readonly inKafkaUntil: Date | null
}

export async function countClearOrders(
  pool: Pool,
  { placed, imported }: OrderTables,
  orderIds: readonly string[],
): Promise<ClearOrders> {
  const clear = [
    `select placed_at from ${placed} where order_id = any($1) and ${isClear('ship_to')}`,
    ...(imported
      ? [`select imported_at from ${imported} where order_id = any($1) and ${isClear(`data->'shipTo'`)}`]
      : []),
  ].join(' union all ')
  const { rows } = await pool.query<{ orders: number; until: Date | null }>(
    `select count(*) as orders,
       max(placed_at + $2 * interval '1 ms') filter (where placed_at + $2 * interval '1 ms' > now()) as until
     from (${clear}) as clear`,
    [orderIds, topicOf('OrderPlaced').retentionMs],
  )
  return { orders: rows[0]?.orders ?? 0, inKafkaUntil: rows[0]?.until ?? null }
}

/**
 * Empties the clear addresses of orders, and the digests of the requests that placed them: a repeat of such a request is
 * refused from then on.
 */
export async function blankOrders(pool: Pool, tables: OrderTables, orderIds: readonly string[]): Promise<void> {
  const { orders, placed, imported } = tables
  await pool.query(
    `update ${placed} set ship_to = (ship_to::jsonb || '${blank}')::json where order_id = any($1) and ${isClear('ship_to')}`,
    [orderIds],
  )
  if (imported)
    await pool.query(
      `update ${imported} set data = jsonb_set(data, '{shipTo}', data->'shipTo' || '${blank}')
       where order_id = any($1) and ${isClear(`data->'shipTo'`)}`,
      [orderIds],
    )
  await pool.query(
    `update ${orders}.idempotency set fingerprint = '' where fingerprint <> '' and reply->'body'->>'orderId' = any($1)`,
    [orderIds],
  )
}
