import { setTimeout as delay } from 'node:timers/promises'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { count } from '../cli/figures.ts'

/** Number of orders by stage; each order counts in every stage it has passed. */
export interface Flow {
  authorized: number
  reserved: number
  shipped: number
  completed: number
  rejected: number
  cancelled: number
  ended: number
}

export interface FlowOptions {
  pool: Pool
  namespace: string
  /** The orders known so far. */
  orderIds(): readonly string[]
  /** Number of orders in the end. */
  total: number
  signal: AbortSignal
  onFlow(flow: Flow): void
}

const everyMs = 250
/** Largest share of the time spent on queries, however many orders there are. */
const watchingShare = 0.1
/** Stop waiting after this time without progress; `verify` then reports what is stuck. */
const stuckAfterMs = 60_000

/** Watches orders in the projection until all have ended, or none makes progress. */
export async function watchFlow({ pool, namespace, orderIds, total, signal, onFlow }: FlowOptions): Promise<Flow> {
  const table = `"${schemaName(namespace, 'order-status')}".order_status`
  let before = ''
  let movedAt = performance.now()
  for (;;) {
    const askedAt = performance.now()
    const flow = await readFlow(pool, table, orderIds())
    const tookMs = performance.now() - askedAt
    onFlow(flow)
    const now = JSON.stringify(flow)
    if (now !== before) movedAt = performance.now()
    before = now
    if (flow.ended === total || performance.now() - movedAt > stuckAfterMs) return flow
    await delay(Math.max(everyMs, tookMs / watchingShare), undefined, { signal })
  }
}

async function readFlow(pool: Pool, table: string, orderIds: readonly string[]): Promise<Flow> {
  const { rows } = await pool.query<Flow>(
    `select count(*) filter (where 'PaymentAuthorized' = any(seen)) as authorized,
            count(*) filter (where 'StockReserved' = any(seen)) as reserved,
            count(*) filter (where 'ShipmentScheduled' = any(seen)) as shipped,
            count(*) filter (where status = 'completed') as completed,
            count(*) filter (where status = 'rejected') as rejected,
            count(*) filter (where status = 'cancelled') as cancelled,
            count(*) filter (where status in ('completed', 'rejected', 'cancelled')) as ended
     from ${table} where order_id = any($1)`,
    [orderIds],
  )
  return rows[0] as Flow
}

const barWidth = 10

/** `█████░░░░░ 950 authorized › 900 reserved › 850 shipped`. Without a bar it fits a line of a log. */
export function flowLine(total: number, { ended, authorized, reserved, shipped }: Flow, bar: boolean): string {
  const done = Math.floor((ended / Math.max(1, total)) * barWidth)
  const stages = Object.entries({ authorized, reserved, shipped }).map(([name, n]) => `${count(n)} ${name}`)
  return `${bar ? `${'█'.repeat(done)}${'░'.repeat(barWidth - done)} ` : ''}${stages.join(' › ')}`
}
