import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import type { Config } from '../../infra/config.ts'
import type { Pool } from '../../infra/postgres/pool.ts'

/** The rows of the services' own tables. */
export interface ServiceTables {
  /** Orders the API has accepted. */
  accepted: readonly AcceptedOrder[]
  /** Ids of orders that the API answered with 201 but has no row for. */
  forgotten: readonly string[]
  /** Messages of queues that bridges made orders of, as far as their ids are still remembered. */
  messages: readonly AcceptedMessage[]
  /** How many ended orders have left order-status by age. */
  retired: number
  statuses: ReadonlyMap<string, { status: string; totalMinor: number | null; seen: string[] }>
  payments: ReadonlyMap<string, { phase: string; amountMinor: number | null }>
  reservations: ReadonlyMap<string, { phase: string; lines: { sku: string; quantity: number }[] }>
  shipments: ReadonlyMap<string, { phase: string }>
  stock: ReadonlyMap<string, StockRow>
  /** Deadlines of the orders that wait for payment or stock. */
  timeLimits: ReadonlyMap<string, { upAt: string }>
}

export interface AcceptedOrder {
  orderId: string
  eventId: string
  totalMinor: number
  currency: string
}

export interface AcceptedMessage {
  /** Door and queue, as `rabbitmq:orders`. */
  source: string
  /** Of the message, within its queue. */
  id: string
  orderId: string
}

export interface StockRow {
  onHand: number
  reserved: number
  shipped: number
}

/**
 * Reads whole tables: one pass over 100,000 orders is cheaper than a query per order.
 * @param undeployed consumers without tables
 */
export async function readServiceTables(
  pool: Pool,
  { namespace }: Config,
  undeployed: readonly string[] = [],
): Promise<ServiceTables> {
  const absent = new Set(undeployed.map((group) => `"${schemaName(namespace, group)}"`))
  const at = (group: string) => `"${schemaName(namespace, group)}"`
  const byId = async <Row>(id: string, columns: string, table: string): Promise<Map<string, Row>> => {
    if (absent.has(table.slice(0, table.indexOf('.')))) return new Map()
    const { rows } = await pool.query<{ id: string; row: Row }>(
      `select ${id} as id, json_build_object(${columns}) as row from ${table}`,
    )
    return new Map(rows.map(({ id, row }) => [id, row]))
  }
  const accepted = await pool.query<AcceptedOrder>(
    `select order_id as "orderId", event_id::text as "eventId", total_minor as "totalMinor", currency
     from ${at('orders')}.placed_order`,
  )
  const forgotten = await pool.query<{ orderId: string }>(
    `select reply->'body'->>'orderId' as "orderId" from ${at('orders')}.idempotency
     where reply->>'status' = '201'
       and not exists (select from ${at('orders')}.placed_order where order_id = reply->'body'->>'orderId')`,
  )
  // Only the key of a message ends in a space
  const messages = await pool.query<AcceptedMessage>(
    `select regexp_replace(key, ' \\S+ $', '') as source, substring(key from '(\\S+) $') as id,
            reply->'body'->>'orderId' as "orderId"
     from ${at('orders')}.idempotency where key like '% ' and reply->>'status' = '201'`,
  )
  const retired = await byId<{ rows: number }>(
    `'state'`,
    `'rows', coalesce(sum(rows), 0)`,
    `${at('order-status')}.retired where what = 'state'`,
  )
  return {
    retired: retired.get('state')?.rows ?? 0,
    accepted: accepted.rows,
    messages: messages.rows,
    forgotten: forgotten.rows.map(({ orderId }) => orderId),
    statuses: await byId(
      'order_id',
      `'status', status, 'totalMinor', total_minor, 'seen', seen`,
      `${at('order-status')}.order_status`,
    ),
    payments: await byId('order_id', `'phase', phase, 'amountMinor', amount_minor`, `${at('payment')}.payment`),
    reservations: await byId(
      'order_id',
      `'phase', phase, 'lines', (select coalesce(json_agg(json_build_object('sku', sku, 'quantity', quantity)), '[]')
                                 from unnest(skus, quantities) as line (sku, quantity))`,
      `${at('inventory')}.reservation`,
    ),
    shipments: await byId('order_id', `'phase', phase`, `${at('shipping')}.shipment`),
    stock: await byId('sku', `'onHand', on_hand, 'reserved', reserved, 'shipped', shipped`, `${at('inventory')}.stock`),
    timeLimits: await byId(
      'key',
      `'upAt', due_at at time zone 'UTC'`,
      `${at('shipping')}.timer join ${at('shipping')}.shipment on order_id = key and phase = 'gathering'`,
    ),
  }
}
