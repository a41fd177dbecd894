import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { TcpProxy } from '../../infra/testing/faults/tcp-proxy.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import { startCarrier } from '../../infra/simulators/carrier.ts'
import { startGateway } from '../../infra/simulators/gateway.ts'
import { silentLogger } from '../../infra/logger.ts'
import { createSandbox } from '../../schemas/testing/sandbox.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { Publisher } from '../../producers/direct/publisher.ts'
import { createCodec } from '../../schemas/codec/codec.ts'
import { newEventId } from '../../schemas/event-id.ts'
import { deployDatabase, deploySchemas, deployTopics } from '../operations/deploy/steps.ts'
import { readJournal } from '../../scripts/verify/gateway-journal.ts'
import { readServiceTables } from '../../scripts/verify/service-tables.ts'
import { verify } from '../../scripts/verify/verify.ts'
import { loadConsumer, schemaName } from '../runtime/load-consumer.ts'
import type { Emitted } from '../runtime/handler.ts'
import { startConsumer } from '../runtime/start-consumer.ts'
import { eventsOf } from './events.ts'
import { event, now } from './in-memory.ts'

const orderId = 'o-1'
const { placed } = eventsOf(orderId, { tea: 2 })
const delivery = event('StockReplenished', { sku: 'tea', quantity: 10, replenishedAt: now })

/** The real services on servers, in this process, with a gateway and a carrier of their own; the way to the gateway can break. */
async function openPipeline(orderTimeoutMs: number) {
  const stack = new AsyncDisposableStack()
  const dataDir = await mkdtemp(join(tmpdir(), 'tally-time-limit-'))
  stack.defer(() => rm(dataDir, { recursive: true }))
  const simulated = { dataDir, port: 0, seed: 1, latencyMs: 0, log: silentLogger }
  const gateway = await startGateway({ ...simulated, declineRate: 0 })
  stack.defer(() => gateway.stop())
  const carrier = await startCarrier({ ...simulated, refuseRate: 0 })
  stack.defer(() => carrier.stop())
  const network = stack.use(await TcpProxy.open({ target: { port: Number(new URL(gateway.url).port) } }))

  const sandbox = stack.use(
    createSandbox({
      TALLY_PARTITIONS: '2',
      TALLY_ORDER_TIMEOUT_MS: String(orderTimeoutMs),
      TALLY_GATEWAY_URL: `http://127.0.0.1:${network.port}`,
      TALLY_CARRIER_URL: carrier.url,
    }),
  )
  const { config, kafka, namespace, log, pool } = sandbox
  for (const step of [deployDatabase, deployTopics, deploySchemas]) await step(config, log)
  const codec = await createCodec({ registryUrl: config.registry.url, namespace, log })
  const publisher = await Publisher.connect({ kafka, namespace, codec })
  stack.defer(() => publisher.stop())
  const publish = (...events: Emitted[]) => publisher.publish(events.map((each) => ({ ...each, id: newEventId() })))

  const start = async (...folders: string[]) => {
    for (const folder of folders) {
      const own = createPool({ url: config.postgres.url, schema: schemaName(namespace, folder), name: folder, log })
      stack.defer(() => own.end())
      const definition = await loadConsumer(folder, config)
      const running = await startConsumer(definition, { config, pool: own, codec, log, replica: folder })
      stack.defer(() => running.stop())
    }
  }
  const tables = () => readServiceTables(pool, config)
  return {
    // Verifiers ask the gateway itself, whatever has become of the way to it
    config: { ...config, gateway: { ...config.gateway, url: gateway.url } },
    publish,
    start,
    /** Between payment and the gateway. */
    network,
    holds: () => readJournal(gateway.url),
    tables,
    /** Phases of the order's payment, reservation and shipment, and its status. */
    async phases() {
      const { payments, reservations, shipments, statuses } = await tables()
      const phases = [payments, reservations, shipments].map((table) => table.get(orderId)?.phase)
      return [...phases, statuses.get(orderId)?.status].join(' ')
    },
    /** The first row of a table of a service. */
    async row(group: string, sql: (schema: string) => string) {
      return (await pool.query<Record<string, unknown>>(sql(`"${schemaName(namespace, group)}"`))).rows[0]
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
type Pipeline = Awaited<ReturnType<typeof openPipeline>>

async function expectSound({ config }: Pipeline, state: string) {
  const { orders, findings } = await verify(config)
  expect(findings.filter(({ violations }) => violations > 0)).toEqual([])
  expect([...orders].filter(([, n]) => n > 0)).toEqual([[state, 1]])
}

const stocked = async ({ publish, tables }: Pipeline) => {
  await publish(delivery)
  await waitUntil('tea has arrived', async () => (await tables()).stock.get('tea'))
}

test.each([
  ['is away', { kind: 'cut' }, 0],
  ['holds the money and does not say so', { kind: 'drop-answers' }, 1],
] as const)(
  'an order whose payment gateway %s ends in time; what is held late is given back',
  async (_, fault, holds) => {
    await using pipeline = await openPipeline(1_000)
    await pipeline.start('payment', 'inventory', 'shipping', 'order-status', 'notifications')
    await stocked(pipeline)
    pipeline.network.inject(fault)
    await pipeline.publish(placed)
    await waitUntil(
      'it is cancelled, its goods released',
      async () => (await pipeline.phases()) === 'authorizing released cancelled cancelled',
    )
    expect((await pipeline.tables()).stock.get('tea')).toEqual({ onHand: 10, reserved: 0, shipped: 0 })
    expect((await pipeline.holds())?.size).toBe(holds)
    expect(await pipeline.row('order-status', (schema) => `select reason from ${schema}.order_status`)).toEqual({
      reason: 'timed_out',
    })
    const mail = (schema: string) => `select subject from ${schema}.mail where kind = 'cancelled'`
    const written = await waitUntil('a mail is written', () => pipeline.row('notifications', mail))
    expect(written).toEqual({ subject: expect.stringContaining('in time') })

    pipeline.network.inject({ kind: 'cut' }) // What still waits for an answer asks again at once
    pipeline.network.heal()
    await waitUntil('the hold is void', async () => (await pipeline.phases()) === 'voided released cancelled cancelled')
    await expectSound(pipeline, 'cancelled')
  },
)

test('an order ends in time though inventory is not there, which later sets nothing aside', async () => {
  await using pipeline = await openPipeline(1_000)
  await pipeline.start('payment', 'shipping', 'order-status', 'notifications')
  await pipeline.publish(delivery, placed)
  await waitUntil('its money is free', async () => (await pipeline.phases()).startsWith('voided  cancelled cancelled'))
  await pipeline.start('inventory')
  await expectSound(pipeline, 'cancelled')
  expect((await pipeline.tables()).stock.get('tea')).toEqual({ onHand: 10, reserved: 0, shipped: 0 })
})

test('an order that nothing else will ever end is ended by its clock, and verify waits for that', async () => {
  await using pipeline = await openPipeline(3_600_000)
  await pipeline.start('payment', 'inventory', 'shipping', 'order-status', 'notifications')
  await stocked(pipeline)
  pipeline.network.inject({ kind: 'cut' })
  await pipeline.publish(placed)
  const gathering = 'authorizing reserved gathering reserved'
  await waitUntil('it waits for its payment', async () => (await pipeline.phases()) === gathering)
  // Payment forgets that it ever asked: no answer will come
  expect(await pipeline.row('payment', (schema) => `delete from ${schema}.call returning kind`)).toBeDefined()
  const { findings } = await verify(pipeline.config)
  expect(findings.filter(({ violations }) => violations > 0)).toMatchObject([
    { id: 'orders-ended', examples: [expect.stringContaining('; it times out at ')] },
  ])
  const soon = (schema: string) => `update ${schema}.timer set due_at = now() + interval '1 s' returning kind`
  expect(await pipeline.row('shipping', soon)).toEqual({ kind: 'overdue' })
  await expectSound(pipeline, 'cancelled')
})

test('an order that has ended has no time limit any more; one that comes nevertheless does nothing', async () => {
  await using pipeline = await openPipeline(3_600_000)
  await pipeline.start('payment', 'inventory', 'shipping', 'order-status', 'notifications')
  await stocked(pipeline)
  pipeline.network.inject({ kind: 'cut' }) // Keeps the order waiting until its limit is copied
  await pipeline.publish(placed)
  const limit = (schema: string) => `table ${schema}.timer`
  await waitUntil('it has a limit', () => pipeline.row('shipping', limit))
  await pipeline.row('shipping', (schema) => `create table ${schema}.kept as table ${schema}.timer`)
  pipeline.network.heal()
  const done = 'captured shipped scheduled completed'
  await waitUntil('it is completed', async () => (await pipeline.phases()) === done)
  await waitUntil('its limit is withdrawn', async () => !(await pipeline.row('shipping', limit)))
  await pipeline.row('shipping', (schema) => `update ${schema}.kept set due_at = now()`)
  await pipeline.row('shipping', (schema) => `insert into ${schema}.timer table ${schema}.kept`)
  await waitUntil('the limit has come', async () => !(await pipeline.row('shipping', limit)))
  expect(await pipeline.phases()).toBe(done)
  await expectSound(pipeline, 'completed')
})
