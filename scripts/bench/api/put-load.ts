import autocannon from 'autocannon'
import { TallyError } from '../../../infra/errors.ts'
import { orderGenerator } from '../../../producers/sample-data/order-generator.ts'
import { seed } from '../fill-orders.ts'

const connections = 64
const differentOrders = 500
/** A request that takes longer is an error. A burst's last answer may come late on a busy machine. */
const patienceSeconds = 120

/** Bodies of requests: orders of one to five articles of the demo's catalogue. */
export const orderBodies = (): string[] => {
  const orderAt = orderGenerator(seed)
  return Array.from({ length: differentOrders }, (_, index) => {
    const { customerId, currency, lines, shipTo } = orderAt(index)
    return JSON.stringify({
      customerId,
      currency,
      lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
      shipTo,
    })
  })
}

export interface Load {
  seconds: number
  /** Latencies of the requests, milliseconds; at a given rate measured from the time each was due. */
  p50: number
  p99: number
}

/**
 * Places orders over 64 connections: as fast as they are answered, or at a fixed rate.
 * @throws TallyError INVARIANT unless every order is answered with 201
 */
export async function placeOrders(
  url: string,
  load: {
    readonly orders: number
    readonly perSecond?: number
    /** Called when an order is accepted. */
    readonly onPlaced?: (orderId: string) => void
  },
): Promise<Load> {
  const { orders, perSecond, onPlaced } = load
  const onResponse =
    onPlaced && ((_status: number, body: string) => onPlaced((JSON.parse(body) as { orderId: string }).orderId))
  const headers = { 'content-type': 'application/json' }
  const result = await autocannon({
    url,
    connections: Math.min(connections, orders),
    amount: orders,
    timeout: patienceSeconds,
    ...(perSecond !== undefined && { overallRate: perSecond }),
    requests: orderBodies().map((body) => ({ method: 'POST', path: '/orders', headers, body, onResponse })),
  })
  const created = result.statusCodeStats?.['201']?.count
  if (created !== orders || result.errors > 0)
    throw new TallyError('INVARIANT', `${created} of ${orders} orders were accepted, ${result.errors} requests failed`)
  const { p50, p99 } = result.latency
  return { seconds: (result.finish.getTime() - result.start.getTime()) / 1_000, p50, p99 }
}
