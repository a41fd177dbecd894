import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { TallyError } from '../../../infra/errors.ts'
import { orderBodies } from '../api/put-load.ts'
import { ordersPerSecond } from '../rebalance/steady-orders.ts'

const patienceMs = 1_000
const avoidMs = 1_000
const giveUpAfterMs = 30_000
/** Grows, so that those who ask again do not keep down who has just come up. */
const pauseMs = (requests: number): number => Math.min(1_000, 25 * 2 ** requests) * (0.5 + Math.random() / 2)

/** An order as its client saw it. */
export interface Placed {
  /** When it was to be placed, epoch ms. */
  readonly dueAt: number
  /** From then to 201, over all its requests. */
  readonly tookMs: number
  readonly requests: number
}

/**
 * Places orders at a rate that waits for nobody, as clients behind a load balancer do: to the replicas in turn, and after
 * an error or a second without an answer to another one, under the same idempotency key. Who has failed is left alone
 * for a second.
 * @param urls of the replicas there are now
 * @throws TallyError INVARIANT if an order is not accepted within half a minute
 */
export async function placeSteadily(
  urls: () => readonly string[],
  orders: number,
  signal: AbortSignal,
): Promise<Placed[]> {
  let turn = 0
  const avoided = new Map<string, number>()
  const choose = (): string => {
    const all = urls()
    const well = all.filter((url) => (avoided.get(url) ?? 0) < now())
    const from = well.length > 0 ? well : all
    return from[turn++ % from.length] ?? ''
  }
  const request = async (body: string, key: string): Promise<boolean> => {
    const url = choose()
    try {
      const answer = await fetch(`${url}/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body,
        signal: AbortSignal.timeout(patienceMs),
      })
      await answer.arrayBuffer()
      if (answer.status === 201) return true
    } catch {
      // Refused, reset or silent: which of them makes no difference
    }
    avoided.set(url, now() + avoidMs)
    return false
  }
  const place = async (body: string, dueAt: number): Promise<Placed> => {
    const key = randomUUID()
    let requests = 1
    for (; !(await request(body, key)); requests++) {
      signal.throwIfAborted()
      if (now() - dueAt > giveUpAfterMs)
        throw new TallyError('INVARIANT', `an order was not accepted in ${requests} requests`)
      await delay(pauseMs(requests))
    }
    return { dueAt, tookMs: now() - dueAt, requests }
  }

  const bodies = orderBodies()
  const startedAt = now()
  const placing: Promise<Placed>[] = []
  while (placing.length < orders) {
    signal.throwIfAborted()
    const due = Math.min(orders, Math.ceil(((now() - startedAt) / 1_000) * ordersPerSecond))
    while (placing.length < due) {
      const dueAt = startedAt + (placing.length / ordersPerSecond) * 1_000
      placing.push(place(bodies[placing.length % bodies.length] ?? '', dueAt))
    }
    await delay(5)
  }
  return Promise.all(placing)
}

const now = (): number => performance.timeOrigin + performance.now()
