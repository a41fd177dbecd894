import type { Config } from '../../infra/config.ts'
import { createPool } from '../../infra/postgres.ts'
import type { Logger } from '../../infra/telemetry.ts'
import { demoCatalogue } from '../../producers/demo-catalogue.ts'
import { orderGenerator } from '../../producers/order-generator.ts'
import { createProgress } from '../cli/progress.ts'
import { verify } from '../verify/verify.ts'
import type { Verdict } from '../verify/verify.ts'
import { fillWarehouse } from './fill-warehouse.ts'
import { flowLine, watchFlow } from './order-flow.ts'
import type { Flow } from './order-flow.ts'
import { createOrdersClient } from './orders-client.ts'
import { placeOrders } from './place-orders.ts'

export interface DemoOptions {
  config: Config
  orders: number
  seed: number
  /** Resolves when the whole stack runs; orders are accepted before that. */
  stackReady: Promise<unknown>
  log: Logger
  signal: AbortSignal
  say(text: string): void
}

export interface DemoResult {
  /** From the start of this process to the first 201. */
  firstOrderMs: number
  /** Orders an earlier run with this seed had placed: the API recognised their keys. */
  repeated: number
  flow: Flow
  verdict: Verdict
}

/** Opens the shop, places the orders, watches them flow, and proves what became of them. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const { config, orders, seed, stackReady, log, signal, say } = options
  let running = false
  stackReady.then(
    () => (running = true),
    () => {}, // The caller's to report
  )
  const client = createOrdersClient(`http://127.0.0.1:${config.ports.api}`, signal)
  const articles = demoCatalogue(seed)
  const orderAt = orderGenerator(seed, articles)
  const begunAt = Date.now()
  const placed: { orderId: string; placedAt: number }[] = []
  const place = (from: number, to: number) =>
    placeOrders({ client, orderAt, seed, from, to, onPlaced: (order) => placed.push(order) })

  // The first order needs its own articles only, and neither Kafka nor stock: it waits in the outbox
  const wanted = new Set(orderAt(0).lines.map(({ sku }) => sku))
  for (const article of articles) if (wanted.has(article.sku)) await client.putProduct(article)
  await place(0, 1)
  const firstOrderMs = performance.now() // Since this process began, and with it the stack
  say(`First order accepted after ${(firstOrderMs / 1_000).toFixed(1)} s${running ? '' : whileStarting}`)

  await Promise.all(articles.map((article) => client.putProduct(article)))
  await stackReady
  const pool = createPool({ url: config.postgres.url, name: 'demo', max: 2, log })
  try {
    await fillWarehouse({ config, pool, articles, seed, log, signal })
    say(
      `The warehouse has ${articles.length} articles, a few of them nearly sold out. Placing ${orders.toLocaleString('en')} orders, one in fifty to be cancelled.`,
    )
    const progress = createProgress('Orders', { unit: 'ended' })
    const one = new AbortController() // Neither goes on when the other fails
    const flowing = watchFlow({
      pool,
      namespace: config.namespace,
      orderIds: () => placed.map(({ orderId }) => orderId),
      total: orders,
      signal: AbortSignal.any([signal, one.signal]),
      onFlow: (flow) => progress.update(flow.ended, flowLine(placed.length, orders, flow)),
    })
    const [flow] = await Promise.all([flowing, place(1, orders)]).finally(() => one.abort())
    progress.finish()
    const repeated = placed.filter(({ placedAt }) => placedAt < begunAt).length
    return { firstOrderMs, repeated, flow, verdict: await verify(config, { log, signal }) }
  } finally {
    await pool.end()
  }
}

const whileStarting =
  ', while the rest still starts: it waits in the outbox, and may reach inventory before its stock does and be rejected'
