import { createHistogram } from 'node:perf_hooks'
import { Pool } from 'undici'
import { TallyError } from '../../../infra/errors.ts'
import { sendAll } from '../../../producers/direct/send-all.ts'
import { orderGenerator } from '../../../producers/sample-data/order-generator.ts'
import { seed } from '../fill-orders.ts'

const connections = 64
const differentOrders = 500
/** A request that takes longer once it is sent is an error: an answer may come late on a busy machine, but must come. */
const patienceMs = 120_000

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
 * Places orders over 64 connections: as fast as they are answered, or one by one at a fixed rate, whether or not those
 * before are answered.
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
  const pool = new Pool(url, { connections, headersTimeout: patienceMs, bodyTimeout: patienceMs })
  const bodies = orderBodies()
  const micros = createHistogram()
  const startedAt = performance.now()
  const place = async (index: number) => {
    const dueAt = perSecond === undefined ? Infinity : startedAt + (index / perSecond) * 1_000
    const from = Math.min(dueAt, performance.now())
    const { statusCode, body } = await pool.request({
      ...{ method: 'POST', path: '/orders', headers: { 'content-type': 'application/json' } },
      body: bodies[index % bodies.length] ?? '',
    })
    const answer = await body.text()
    if (statusCode !== 201) throw new TallyError('INVARIANT', `an order was answered with ${statusCode}: ${answer}`)
    micros.record(Math.max(1, Math.round((performance.now() - from) * 1_000)))
    onPlaced?.((JSON.parse(answer) as { orderId: string }).orderId)
  }
  try {
    const rate = perSecond === undefined ? { maxOutstanding: connections } : { maxOutstanding: orders, rate: perSecond }
    await sendAll(Array(orders).keys(), place, rate)
    const seconds = (performance.now() - startedAt) / 1_000
    return { seconds, p50: micros.percentile(50) / 1_000, p99: micros.percentile(99) / 1_000 }
  } finally {
    await pool.destroy()
  }
}
