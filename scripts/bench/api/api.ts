import { join } from 'node:path'
import { createSandbox } from '../../../schemas/testing/sandbox.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { freePort } from '../../../producers/orders-api/testing/orders-bench.ts'
import { deployPipeline } from './deploy-pipeline.ts'
import { placeOrders } from './put-load.ts'
import type { Benchmark, Ground, Repeat } from '../benchmark.ts'
import { countTopic } from '../count-topic.ts'
import { assertCount } from '../fill-orders.ts'
import { startService } from '../start-service.ts'
import type { Service } from '../start-service.ts'
import { startMachineWatch } from '../watch.ts'

/** Share of Express' own maximum at which latency is measured, percent. */
const share = 60
const [p50Name, p99Name] = [`p50 ms at ${share} % of Express`, `p99 ms at ${share} % of Express`]

export const api: Benchmark = {
  name: 'api',
  what: `POST /orders over 64 connections: price the order, store it, answer 201; then the latency at ${share} % of the rate that Express reached when measured first.`,
  unit: 'orders/s',
  events: { usual: 40_000, quick: 3_000 },
  contenders: [
    {
      name: 'tally',
      setup: 'one replica; stores the event in the same transaction and publishes it concurrently',
      measure: ours,
    },
    {
      name: 'express',
      setup: 'Express 5, pg with 10 connections, an insert each; no outbox, no events',
      measure: plain,
    },
  ],
  bars: [{ atLeast: 3_000 }, { against: 'express', atLeast: 0.7 }, { figure: p99Name, against: 'express', atMost: 1 }],
}

async function ours(ground: Ground): Promise<Repeat> {
  const { sandbox, signal } = ground
  const schema = await deployPipeline(ground.sandbox)
  const port = await freePort()
  const env = { TALLY_API_PORT: String(port) }
  const orders = { ...ground, schema, port }
  const pace = await paceOf(ground)
  await using service = await startService(ground, 'producers/orders-api/main.ts', { env })
  const repeat = await measure(orders, service, pace)
  const placed = await storedOrders(orders)
  await waitUntil('all events are published', async () => {
    const { rows } = await sandbox.pool.query<{ n: number }>(`select count(*) as n from ${schema}.outbox_batch`)
    return Number(rows[0]?.n) === 0
  })
  const { records, keys } = await countTopic(sandbox, 'orders', signal)
  assertCount('events published', records, placed)
  assertCount('orders with an event', keys, placed)
  return repeat
}

async function plain(ground: Ground): Promise<Repeat> {
  const pace = await paceOf(ground)
  const { schema, port, service } = await startExpress(ground)
  await using _service = service
  const repeat = await measure({ ...ground, port }, service, pace)
  await storedOrders({ ...ground, schema })
  return repeat
}

async function startExpress(ground: Ground) {
  const schema = await deployPipeline(ground.sandbox)
  const port = await freePort()
  const order = { databaseUrl: ground.sandbox.config.postgres.url, schema, port }
  const args = [JSON.stringify(order)]
  const service = await startService(ground, join(import.meta.dirname, '../peers/express-orders.ts'), { args })
  return { schema, port, service }
}

let pace: Promise<number> | undefined

/** The same rate for all repeats of a run: measured once, in a sandbox of its own. */
const paceOf = (ground: Ground): Promise<number> => (pace ??= measurePace(ground))

async function measurePace({ events, ...ground }: Ground): Promise<number> {
  await using sandbox = createSandbox(ground.sandbox.env)
  const { port, service } = await startExpress({ ...ground, sandbox, events })
  await using _service = service
  const url = `http://127.0.0.1:${port}`
  await placeOrders(url, { orders: Math.ceil(events / 4) }) // Compiles its code
  const { seconds } = await placeOrders(url, { orders: events })
  return Math.max(1, Math.round(((events / seconds) * share) / 100))
}

/** Places orders first as fast as possible, then, with a warm service, at a fixed rate to measure latency. */
async function measure(
  { events, port }: Ground & { port: number },
  service: Service,
  perSecond: number,
): Promise<Repeat> {
  const url = `http://127.0.0.1:${port}`
  const [cpuBefore, machineSeconds] = [service.cpuSeconds(), startMachineWatch()]
  const { seconds } = await placeOrders(url, { orders: events })
  const [cpu, machine] = [service.cpuSeconds() - cpuBefore, machineSeconds()]
  const { p50, p99 } = await placeOrders(url, { orders: pacedOrders(events), perSecond })
  return {
    perSecond: events / seconds,
    cpuPerEvent: cpu / events,
    machineCpuPerEvent: machine / events,
    figures: { [p50Name]: p50, [p99Name]: p99, 'paced orders/s': perSecond },
  }
}

const pacedOrders = (events: number): number => Math.ceil(events / 4)

/** @throws TallyError INVARIANT unless every order that was accepted is stored once */
async function storedOrders({ sandbox, events, schema }: Ground & { schema: string }): Promise<number> {
  const { rows } = await sandbox.pool.query<{ n: number }>(`select count(*) as n from ${schema}.placed_order`)
  const expected = events + pacedOrders(events)
  assertCount('orders stored', Number(rows[0]?.n), expected)
  return expected
}
