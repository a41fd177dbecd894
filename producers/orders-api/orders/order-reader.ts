import { prepared } from '../../../infra/postgres/transaction.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { OrderStatus, TimelineEntry } from '../http/contract.ts'
import { reachDatabase } from '../reach-database.ts'
import { hasSqlState } from '../../../infra/postgres/sqlstates.ts'

/** Reads orders: their status from the projection's tables, or as accepted until the projection has seen them. */
export interface OrderReader {
  /** All methods throw TallyError UNREACHABLE when the database does not answer. */
  find(orderId: string): Promise<OrderStatus | undefined>
  /** The customer of an order that this API has accepted, or null. */
  customerOf(orderId: string): Promise<string | null>
  /** From the projection only; orders that it has not seen are absent. */
  statuses(orderIds: readonly string[]): Promise<OrderStatus[]>
  /** Where the carrier has the label of an order; undefined until it is known. */
  labelUrl(orderId: string): Promise<string | undefined>
  /** The entries after the given seq by order; orders without any are absent. */
  timeline(after: ReadonlyMap<string, number>): Promise<Map<string, TimelineEntry[]>>
}

const isoTime = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** As order-status stores it; times are epoch ms. */
interface StoredShipment {
  carrier: string
  trackingNumber: string
  pickupFrom: number
  pickupUntil: number
}

const statuses = prepared<Omit<OrderStatus, 'shipment'> & { shipment: StoredShipment | null }>(
  'order_statuses',
  `select order_id as "orderId", status, reason, customer_id as "customerId", currency, total_minor::text as "totalMinor",
     ${isoTime('placed_at')} as "placedAt", ${isoTime('updated_at')} as "updatedAt", ${isoTime('ended_at')} as "endedAt",
     shipment
   from order_status where order_id = any($1)`,
)

const accepted = prepared<OrderStatus>(
  'order_accepted',
  `select order_id as "orderId", 'placed' as status, null as reason, customer_id as "customerId", currency,
     total_minor::text as "totalMinor", ${isoTime('placed_at')} as "placedAt", ${isoTime('placed_at')} as "updatedAt",
     null as "endedAt", null as shipment
   from placed_order where order_id = $1`,
)

const labels = prepared<{ url: string }>(
  'order_label',
  `select shipment->>'labelUrl' as url from order_status where order_id = $1 and shipment is not null`,
)

// `offset 0`: without it a planner that takes the timeline for empty walks all of it instead of one order's
const timeline = prepared<TimelineEntry & { orderId: string }>(
  'order_timeline',
  `select order_id as "orderId", timeline.seq, event_id as "eventId", type, ${isoTime('time')} as time, topic, partition,
     "offset"::text as "offset", summary
   from unnest($1::text[], $2::int[]) as wanted (of_order, after) cross join lateral (
     select * from timeline where order_id = of_order and seq > after offset 0) as timeline
   order by order_id, timeline.seq`,
)

/**
 * @param own a pool of this service's schema
 * @param projection a pool of the schema of order-status, which is only read
 */
export function createOrderReader({ own, projection }: { own: Pool; projection: Pool }): OrderReader {
  const reader: OrderReader = {
    async find(orderId) {
      const [seen] = await reader.statuses([orderId])
      return seen ?? (await reachDatabase(() => accepted(own, orderId)))[0]
    },
    customerOf: async (orderId) => (await reachDatabase(() => accepted(own, orderId)))[0]?.customerId ?? null,
    async statuses(orderIds) {
      const rows = await reachDatabase(() => orNone(statuses(projection, orderIds)))
      return rows.map(({ shipment, ...row }) => ({ ...row, shipment: shipment && shipmentOf(shipment) }))
    },
    labelUrl: async (orderId) => (await reachDatabase(() => orNone(labels(projection, orderId))))[0]?.url,
    async timeline(after) {
      const rows = await reachDatabase(() => orNone(timeline(projection, [...after.keys()], [...after.values()])))
      const byOrder = new Map<string, TimelineEntry[]>()
      for (const { orderId, ...entry } of rows) byOrder.set(orderId, [...(byOrder.get(orderId) ?? []), entry])
      return byOrder
    },
  }
  return reader
}

/** The address of the label is left out: only this service may reach it. */
const shipmentOf = ({ carrier, trackingNumber, pickupFrom, pickupUntil }: StoredShipment) => ({
  ...{ carrier, trackingNumber },
  pickupFrom: new Date(pickupFrom).toISOString(),
  pickupUntil: new Date(pickupUntil).toISOString(),
})

/** The projection may not be deployed yet: then it has seen no order. */
async function orNone<Row>(rows: Promise<Row[]>): Promise<Row[]> {
  try {
    return await rows
  } catch (error) {
    if (hasSqlState(error, 'undefinedTable')) return []
    throw error
  }
}
