import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../../infra/config.ts'
import { commandToken } from '../../infra/security/access-token.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { Logger } from '../../infra/logger.ts'
import type { QueueServer } from '../../infra/queue-settings.ts'
import { ApiClient } from '../../producers/direct/api-client.ts'
import { demoCatalogue } from '../../producers/sample-data/demo-catalogue.ts'
import type { Article } from '../../producers/sample-data/demo-catalogue.ts'
import { orderGenerator } from '../../producers/sample-data/order-generator.ts'
import { count, duration } from '../cli/figures.ts'
import { createProgress } from '../cli/progress.ts'
import { verify } from '../verify/verify.ts'
import type { Verdict } from '../verify/verify.ts'
import { fillWarehouse } from './fill-warehouse.ts'
import { flowLine, watchFlow } from './order-flow.ts'
import type { Flow } from './order-flow.ts'
import { apiDoor, openQueueDoor } from './doors.ts'
import { placeOrders } from './place-orders.ts'
import type { OrderDoor, Placed } from './place-orders.ts'

export interface DemoOptions {
  config: Config
  orders: number
  seed: number
  /** The queue through which orders enter. @default the orders API */
  door?: QueueServer | undefined
  /** Resolves when the whole stack runs, with `found` if it ran before; orders are accepted earlier. */
  stackReady: Promise<object>
  log: Logger
  signal: AbortSignal
  say(text: string): void
}

export interface DemoResult {
  /** From the start of this process to the first 201. */
  firstOrderMs: number
  /** Orders placed by an earlier run with this seed: the API recognized their keys. */
  repeated: number
  flow: Flow
  verdict: Verdict
}

/** Fills catalogue and warehouse, places orders, shows their progress, and verifies the result. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const { config, signal, log, stackReady } = options
  const api = new ApiClient({ url: apiUrl(config), token: commandToken(config), signal })
  const pool = createPool({ url: config.postgres.url, name: 'demo', max: 2, log })
  stackReady.catch(() => {}) // The caller handles it, too
  let queue: Awaited<ReturnType<typeof openQueueDoor>> | undefined
  try {
    if (options.door) {
      await stackReady // The bridge is part of it
      queue = await openQueueDoor({ config, server: options.door, pool, signal })
    }
    return await tellStory(options, { api, pool, door: queue ?? apiDoor(api) })
  } finally {
    await queue?.stop()
    await pool.end()
  }
}

async function tellStory(
  { config, orders, seed, stackReady, log, signal, say }: DemoOptions,
  { api, pool, door }: { api: ApiClient; pool: Pool; door: OrderDoor },
): Promise<DemoResult> {
  const articles = demoCatalogue(seed)
  const orderAt = orderGenerator(seed, articles)
  const begunAt = Date.now()
  const placed: Placed[] = []
  const place = (from: number, to: number) =>
    placeOrders({ door, api, orderAt, seed, from, to, signal, onPlaced: (order) => placed.push(order) })
  const sell = (some: readonly Article[]) =>
    Promise.all(
      some.map(({ sku, name, unitPriceMinor, currency }) =>
        api.putProduct(sku, { name, unitPriceMinor: String(unitPriceMinor), currency }),
      ),
    )

  // The first order needs only its own articles, and neither Kafka nor stock: its event waits in the outbox
  let running = false
  let found = false
  const started = stackReady.then((stack) => {
    running = true
    found = 'found' in stack
  })
  started.catch(() => {})
  await acceptsOrders(apiUrl(config), commandToken(config), signal)
  const wanted = new Set(orderAt(0).lines.map(({ sku }) => sku))
  await sell(articles.filter(({ sku }) => wanted.has(sku)))
  const placingAt = performance.now()
  await place(0, 1)
  const firstOrderMs = performance.now()
  const took = duration(found ? firstOrderMs - placingAt : firstOrderMs)
  say(found ? `First order accepted within ${took}` : `First order accepted ${took} after the start`)
  if (!running) say(whileStarting)

  await Promise.all([sell(articles), started])
  await fillWarehouse({ config, pool, articles, seed, log, signal })
  say(`The warehouse has ${count(articles.length, 'article')}; a few are nearly sold out.`)
  say(`Placing ${count(orders, 'order')}; one in fifty will be cancelled.`)
  const progress = createProgress('Orders', { unit: 'ended' })
  const one = new AbortController() // Stops each if the other fails
  const flowing = watchFlow({
    pool,
    namespace: config.namespace,
    orderIds: () => placed.map(({ orderId }) => orderId),
    total: orders,
    signal: AbortSignal.any([signal, one.signal]),
    onFlow: (flow) => progress.update(flow.ended, flowLine(orders, flow, process.stderr.isTTY)),
  })
  const [flow] = await Promise.all([flowing, place(1, orders)]).finally(() => one.abort())
  progress.finish()
  const repeated = placed.filter(({ placedAt }) => placedAt < begunAt).length
  return { firstOrderMs, repeated, flow, verdict: await verify(config, { log, signal }) }
}

const apiUrl = ({ ports }: Config): string => `http://127.0.0.1:${ports.api}`

const whileStarting =
  'The stack is still starting: the event waits in the outbox. It may reach inventory before its stock.'

/** Waits for the API to be ready; Kafka may still be starting then. */
async function acceptsOrders(
  url: string,
  token: () => Promise<string | undefined>,
  signal: AbortSignal,
): Promise<void> {
  const given = await token()
  const headers = given === undefined ? undefined : { authorization: `Bearer ${given}` }
  while (!(await answersOk(`${url}/ready`, { headers, signal }))) await delay(25, undefined, { signal })
}

async function answersOk(url: string, options: RequestInit & { signal: AbortSignal }): Promise<boolean> {
  try {
    const response = await fetch(url, options)
    await response.arrayBuffer()
    return response.ok
  } catch {
    options.signal.throwIfAborted()
    return false
  }
}
