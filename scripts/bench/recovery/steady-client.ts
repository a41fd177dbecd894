import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { TallyError } from '../../../infra/errors.ts'
import { orderBodies } from '../api/put-load.ts'
import { ordersPerSecond } from '../rebalance/steady-orders.ts'

const patienceMs = 1_000
const avoidMs = 1_000
const connectionsEach = 64
const giveUpAfterMs = 30_000
/** Grows, so that repeated requests do not overload a replica that has just started. */
const pauseMs = (requests: number): number => Math.min(1_000, 25 * 2 ** requests) * (0.5 + Math.random() / 2)

/** An order from the client's point of view. */
export interface Placed {
  /** Scheduled time, epoch ms. */
  readonly dueAt: number
  /** From then to the 201, over all its requests. */
  readonly tookMs: number
  readonly requests: number
}

/**
 * Places orders at a fixed rate, as clients behind a load balancer do: to the replicas in turn and, after an error or a second
 * without an answer, to another one with the same idempotency key. A replica that failed is skipped for a second.
 * @param urls of the current replicas
 * @throws TallyError INVARIANT if an order is not accepted within 30 s
 */
export async function placeSteadily(
  urls: () => readonly string[],
  orders: number,
  signal: AbortSignal,
): Promise<Placed[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: connectionsEach })
  let turn = 0
  const avoided = new Map<string, number>()
  const choose = (): string => {
    const all = urls()
    const well = all.filter((url) => (avoided.get(url) ?? 0) < now())
    const from = well.length > 0 ? well : all
    return from[turn++ % from.length] ?? ''
  }
  const ask = async (body: string, key: string): Promise<boolean> => {
    const url = choose()
    const status = await post(`${url}/orders`, body, { agent, key }).catch(() => 0) // Refused, reset or timed out
    if (status === 201) return true
    avoided.set(url, now() + avoidMs)
    return false
  }
  const place = async (body: string, dueAt: number): Promise<Placed> => {
    const key = randomUUID()
    let requests = 1
    for (; !(await ask(body, key)); requests++) {
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
  try {
    return await Promise.all(placing)
  } finally {
    agent.destroy()
  }
}

/** @returns the HTTP status */
async function post(url: string, body: string, { agent, key }: { agent: Agent; key: string }): Promise<number> {
  const headers = {
    'content-type': 'application/json',
    'idempotency-key': key,
    'content-length': Buffer.byteLength(body),
  }
  const asking = request(url, { method: 'POST', agent, headers, signal: AbortSignal.timeout(patienceMs) })
  asking.on('error', () => {}) // Errors may also follow the answer
  asking.end(body)
  const [answer] = (await once(asking, 'response')) as [IncomingMessage]
  answer.resume()
  return answer.statusCode ?? 0
}

const now = (): number => performance.timeOrigin + performance.now()
