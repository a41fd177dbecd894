import { waitUntil } from '../../../infra/testing/wait-until.ts'
import type { QueueServer } from '../../../infra/queue-settings.ts'
import { startQueue } from '../../../infra/testing/queues/start-queues.ts'
import type { TestQueue } from '../../../infra/testing/queues/start-queues.ts'
import { ensureQueues } from '../../../producers/bridge/start-bridge.ts'
import { freePort } from '../../../producers/orders-api/testing/orders-bench.ts'
import { generateEvents } from '../../../producers/sample-data/event-generator.ts'
import { toQueue } from '../../produce/to-queue.ts'
import { deployPipeline } from '../api/deploy-pipeline.ts'
import { placeOrders } from '../api/put-load.ts'
import type { Benchmark, Ground, Repeat } from '../benchmark.ts'
import { assertCount, seed } from '../fill-orders.ts'
import { startServerAccount } from '../run-program.ts'
import { startService } from '../start-service.ts'
import type { Service } from '../start-service.ts'
import { startMachineWatch } from '../watch.ts'

const queue = 'bench'
/** They do not count: code is compiled, connections are opened. */
const warming = 500

export const bridge: Benchmark = {
  name: 'bridge',
  what: 'Take orders from a queue that is full, price and store them, acknowledge them; beside the same orders by POST /orders.',
  unit: 'orders/s',
  events: { usual: 20_000, quick: 1_500 },
  contenders: [
    {
      name: 'from RabbitMQ',
      setup: 'one bridge, prefetch 200; a quorum queue on one node',
      measure: (ground) => fromQueue(ground, 'rabbitmq', 25_200),
    },
    {
      name: 'from SQS',
      setup: 'one bridge, prefetch 200; ElasticMQ in memory, a standard queue',
      measure: (ground) => fromQueue(ground, 'sqs', 25_300),
    },
    { name: 'POST /orders', setup: 'one replica of the orders API, 64 connections', measure: byHttp },
  ],
}

async function fromQueue(ground: Ground, server: QueueServer, portBase: number): Promise<Repeat> {
  await using target = await startQueue(server, portBase)
  const schema = await deployPipeline(ground.sandbox)
  const { config } = target
  await ensureQueues(config, { door: server, queue, prefetch: 1 }, true)
  await fill(config, server, ground.events + warming)
  const options = { args: [server, '--queue', queue], env: target.env, name: 'bridge' }
  await using service = await startService(ground, 'scripts/bridge.ts', options)
  return await measure({ ...ground, schema }, service, async () => {}, config.dataDir)
}

async function fill(config: TestQueue['config'], server: QueueServer, orders: number): Promise<void> {
  const destination = await toQueue({ config, server, queue })
  const sent = new Set<Promise<void>>()
  for (const event of generateEvents('OrderPlaced', { count: orders, seed })) {
    const sending = destination.send(event).finally(() => sent.delete(sending))
    sent.add(sending)
    if (sent.size >= destination.maxOutstanding) await Promise.race(sent)
  }
  await Promise.all(sent)
  await destination.stop()
}

async function byHttp(ground: Ground): Promise<Repeat> {
  const schema = await deployPipeline(ground.sandbox)
  const port = await freePort()
  const env = { TALLY_API_PORT: String(port) }
  await using service = await startService(ground, 'producers/orders-api/main.ts', { env })
  const url = `http://127.0.0.1:${port}`
  await placeOrders(url, { orders: warming })
  return await measure({ ...ground, schema }, service, () => placeOrders(url, { orders: ground.events }))
}

/** From the first orders, which do not count, until all are stored. */
async function measure(
  { sandbox, events, schema }: Ground & { schema: string },
  service: Service,
  place: () => Promise<unknown>,
  otherDataDir?: string,
): Promise<Repeat> {
  const stored = async () => {
    const { rows } = await sandbox.pool.query<{ n: number }>(`select count(*)::int as n from ${schema}.placed_order`)
    return rows[0]?.n ?? 0
  }
  const reached = (orders: number, everyMs: number) =>
    waitUntil(`${orders} orders`, async () => (await stored()) >= orders, { withinMs: 600_000, everyMs })
  await reached(warming, 10)
  const before = await stored()
  const [cpu, machineSeconds, began] = [service.cpuSeconds(), startMachineWatch(), performance.now()]
  const serverFigures = await startServerAccount({ sandbox }, otherDataDir)
  await place()
  await reached(events + warming, 100)
  const seconds = (performance.now() - began) / 1_000
  const counted = events + warming - before
  const [cpuSeconds, machine] = [service.cpuSeconds() - cpu, machineSeconds()]
  const figures = await serverFigures(counted)
  assertCount('orders stored', await stored(), events + warming)
  const each = {
    perSecond: counted / seconds,
    cpuPerEvent: cpuSeconds / counted,
    machineCpuPerEvent: machine / counted,
  }
  return { ...each, figures }
}
