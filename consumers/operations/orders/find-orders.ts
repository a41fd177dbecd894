import type { Config } from '../../../infra/config.ts'
import { TallyError } from '../../../infra/errors.ts'
import { quoteIdentifier } from '../../../infra/postgres/identifiers.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { schemaName } from '../../runtime/load-consumer.ts'

/** An order as its status says, or as accepted if order-status has not seen it yet. Times are UTC, ISO 8601. */
export interface OrderRow {
  readonly orderId: string
  readonly status: string
  readonly reason: string | null
  /** Null until OrderPlaced was seen. */
  readonly customerId: string | null
  readonly currency: string | null
  /** Minor units of the currency, as text: an int64. */
  readonly totalMinor: string | null
  readonly placedAt: string | null
  readonly updatedAt: string
  readonly endedAt: string | null
}

export const orderStates = [
  'placed',
  'authorized',
  'reserved',
  'ready',
  'shipping',
  'completed',
  'cancelled',
  'rejected',
] as const

export interface OrderSearch {
  /** An order id or the beginning of one, a customer id, or a tracking number; everything if empty. */
  readonly text?: string
  readonly status?: string
  /** `next` of the page before. */
  readonly after?: string
  /** @default 50 */
  readonly limit?: number
}

export interface OrdersPage {
  readonly orders: readonly OrderRow[]
  /** Where the next page begins; null at the end. */
  readonly next: string | null
}

const isoTime = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

const statusColumns = `order_id as "orderId", status, reason, customer_id as "customerId", currency,
  total_minor::text as "totalMinor", ${isoTime('placed_at')} as "placedAt", ${isoTime('updated_at')} as "updatedAt",
  ${isoTime('ended_at')} as "endedAt"`

const acceptedColumns = `order_id as "orderId", 'placed' as status, null as reason, customer_id as "customerId", currency,
  total_minor::text as "totalMinor", ${isoTime('placed_at')} as "placedAt", ${isoTime('placed_at')} as "updatedAt",
  null as "endedAt"`

/** Tables of the orders API and of order-status, quoted. */
const tablesOf = ({ namespace }: Config) => {
  const status = quoteIdentifier(schemaName(namespace, 'order-status'))
  return { status: `${status}.order_status`, timeline: `${status}.timeline`, accepted: acceptedTable(namespace) }
}
const acceptedTable = (namespace: string) => `${quoteIdentifier(schemaName(namespace, 'orders'))}.placed_order`

/**
 * The orders that changed last, of which an id, a customer or a tracking number is found by an index. For a status or for
 * all orders the table is read from end to end: an index on what changes with every event would cost each order more than
 * a search is worth (DESIGN, "Console").
 * @throws TallyError USAGE for a page that is none; errors of pg
 */
export async function findOrders(config: Config, pool: Pool, search: OrderSearch): Promise<OrdersPage> {
  const text = search.text?.trim() ?? ''
  const list = (condition: string) => listOrders(config, pool, { ...search, text }, condition)
  if (text === '') return list(`$1 = ''`)
  const exact = await list('(order_id = $1 or customer_id = $1)')
  if (exact.orders.length > 0) return exact
  const beginning = await list('starts_with(order_id, $1)')
  if (beginning.orders.length > 0 || search.after !== undefined) return beginning
  const accepted = await findAccepted(config, pool, text)
  if (accepted) return { orders: search.status && search.status !== 'placed' ? [] : [accepted], next: null }
  return list(byTrackingNumber(tablesOf(config).timeline))
}

/** The last word of the summary, as its index has it. */
const byTrackingNumber = (timeline: string) => String.raw`order_id in (select order_id from ${timeline}
  where type = 'ShipmentScheduled' and substring(summary from '\S+$') = $1)`

/** @param condition on an order; takes the text as $1 */
async function listOrders(
  config: Config,
  pool: Pool,
  { text, status, after, limit = 50 }: OrderSearch,
  condition: string,
): Promise<OrdersPage> {
  const { at, id } = readPlace(after)
  const newestFirst = 'order by updated_at desc, order_id desc'
  // Found first, then formatted: texts of times of the whole table would take longer than to find the newest
  const { rows } = await pool.query<OrderRow & { at: string }>(
    `select ${statusColumns}, updated_at::text as at from (
       select * from ${tablesOf(config).status}
       where ${condition} and ($2::text is null or status = $2)
         and ($3::timestamptz is null or (updated_at, order_id) < ($3, $4))
       ${newestFirst} limit $5) as found
     ${newestFirst}`,
    [text, status ?? null, at, id, limit + 1],
  )
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    orders: shown.map(({ at: _at, ...order }) => order),
    next: rows.length > limit && last ? `${last.at} ${last.orderId}` : null,
  }
}

/** An order by its id; undefined if neither the orders API nor order-status knows it. */
export async function findOrder(config: Config, pool: Pool, orderId: string): Promise<OrderRow | undefined> {
  const { rows } = await pool.query<OrderRow>(
    `select ${statusColumns} from ${tablesOf(config).status} where order_id = $1`,
    [orderId],
  )
  return rows[0] ?? (await findAccepted(config, pool, orderId))
}

async function findAccepted(config: Config, pool: Pool, orderId: string): Promise<OrderRow | undefined> {
  const { rows } = await pool.query<OrderRow>(
    `select ${acceptedColumns} from ${tablesOf(config).accepted} where order_id = $1`,
    [orderId],
  )
  return rows[0]
}

function readPlace(after: string | undefined): { at: string | null; id: string | null } {
  if (after === undefined) return { at: null, id: null }
  const [, at, id] = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d(?::\d\d)*) (.+)$/.exec(after) ?? []
  if (at === undefined || id === undefined) throw new TallyError('USAGE', `There is no page of orders "${after}"`)
  return { at, id }
}

/** Where order-status found an event of an order. */
export interface TimelineRow {
  readonly eventId: string
  readonly type: string
  readonly time: string
  readonly topic: string | null
  readonly partition: number | null
  readonly offset: string | null
  readonly summary: string
}

/** The events of an order that order-status has processed, in that order. */
export async function readTimeline(config: Config, pool: Pool, orderId: string): Promise<TimelineRow[]> {
  const { rows } = await pool.query<TimelineRow>(
    `select event_id as "eventId", type, ${isoTime('time')} as time, topic, partition, "offset"::text as "offset", summary
     from ${tablesOf(config).timeline} where order_id = $1 order by seq limit 1000`,
    [orderId],
  )
  return rows
}
