import { once } from 'node:events'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from '@jest/globals'
import type { Fault } from '../../infra/testing/faults/fault.ts'
import { TcpProxy } from '../../infra/testing/faults/tcp-proxy.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { readTopic } from '../../infra/testing/read-topic.ts'
import { createCodec } from '../../schemas/codec/codec.ts'
import { loadConsumer, schemaName } from './load-consumer.ts'
import { eventsOf } from '../testing/events.ts'
import { startConsumer } from './start-consumer.ts'
import { counts, ledgerSums, published } from './testing/observe.ts'
import { countTable, orders, tallyConsumer } from './testing/tally-consumer.ts'
import { openTestBench } from './testing/test-bench.ts'
import type { TestBench } from './testing/test-bench.ts'

const group = 'tester'

/** A connection to a server through a network that can break. */
async function openWay(url: string) {
  const { hostname, port, protocol } = new URL(url)
  const target = { host: hostname, port: Number(port || (protocol === 'postgres:' ? 5432 : 80)) }
  const proxy = await TcpProxy.open({ target })
  const through = new URL(url)
  through.host = `127.0.0.1:${proxy.port}`
  return { proxy, url: through.href }
}

async function expectEachOnce(bench: TestBench, ids: readonly string[]) {
  await bench.settled(['orders'])
  const found = await counts(bench)
  expect(ids.map((id) => found.get(id)?.placed)).toEqual(ids.map(() => 1))
  expect(await ledgerSums(bench)).toMatchObject({ taken: ids.length, duplicates: 0, parked: 0 })
  expect(new Set(await published(bench, 'inventory')).size).toBe(ids.length)
}

const idsOf = (events: ReturnType<typeof orders>) => events.map(({ data }) => data.orderId)

const networkFaults: Fault[] = [
  { kind: 'cut' },
  { kind: 'reset' },
  { kind: 'stall' },
  { kind: 'drop-answers' },
  { kind: 'http-error', status: 200 },
]

test.each(networkFaults)('losing the database parks nothing: $kind', async (fault) => {
  await using bench = await openTestBench(group, countTable)
  const { config, log, namespace } = bench.sandbox
  const way = await openWay(config.postgres.url)
  await using proxy = way.proxy
  const pool = createPool({
    url: way.url,
    schema: schemaName(namespace, group),
    name: 'through the proxy',
    answerWithinMs: 1_000,
    log,
  })
  const [before, during, after] = [orders(40), orders(40), orders(20)]
  await bench.publish(before)
  await using stack = new AsyncDisposableStack()
  stack.defer(() => pool.end())
  const running = await bench.replica(tallyConsumer(group), 'far away', { pool })
  stack.defer(() => running.stop())
  await waitUntil('it works', async () => (await counts(bench)).size > 0)
  proxy.inject(fault)
  await bench.publish(during)
  await expect(pool.query('select 1')).rejects.toThrow()
  proxy.heal()
  await bench.publish(after)
  await expectEachOnce(bench, idsOf([...before, ...during, ...after]))
})

test('a slow database parks nothing', async () => {
  await using bench = await openTestBench(group, countTable)
  const { config, log, namespace } = bench.sandbox
  const way = await openWay(config.postgres.url)
  await using proxy = way.proxy
  proxy.inject({ kind: 'slow', latencyMs: 30 })
  const pool = createPool({ url: way.url, schema: schemaName(namespace, group), name: 'through the proxy', log })
  const placed = orders(30)
  await bench.publish(placed)
  await using stack = new AsyncDisposableStack()
  stack.defer(() => pool.end())
  const running = await bench.replica(tallyConsumer(group), 'far away', { pool })
  stack.defer(() => running.stop())
  await expectEachOnce(bench, idsOf(placed))
})

/** Answers of a registry, or of a proxy in front of it. */
const registryFaults: Fault[] = [
  { kind: 'cut' },
  { kind: 'reset' },
  { kind: 'http-error', status: 200 },
  { kind: 'http-error', status: 404 },
  { kind: 'http-error', status: 500 },
]

test.each(registryFaults.map((fault) => [Object.values(fault).join(' '), fault] as const))(
  'records wait for a registry that answers with %s',
  async (_name, fault) => {
    await using bench = await openTestBench(group, countTable)
    const { config, log, namespace } = bench.sandbox
    const way = await openWay(config.registry.url)
    await using proxy = way.proxy
    const codec = await createCodec({ registryUrl: way.url, namespace, types: ['StockReserved', 'StockReleased'], log })
    proxy.inject(fault)
    const placed = orders(20)
    await bench.publish(placed)
    const learning = codec.learn([codec.schemaIdOf(bench.codec.encode('OrderPlaced', placed[0]!.data))!])
    await expect(learning).rejects.toMatchObject({ code: 'UNREACHABLE' })
    const options = { config, pool: bench.pool, codec, log, replica: 'r' }
    const running = await startConsumer(tallyConsumer(group), options)
    await using _ = { [Symbol.asyncDispose]: () => running.stop() }
    const waiting = () => bench.pool.query("select from lane_state where phase = 'waiting'")
    await waitUntil('a lane waits', async () => (await waiting()).rowCount)
    expect((await bench.pool.query('select from inbox')).rowCount).toBe(0)
    proxy.heal()
    await expectEachOnce(bench, idsOf(placed))
  },
)

/** Responses of a faulty service, or of a proxy in front of it, that are no answer. */
const nonsense: ((response: ServerResponse) => void)[] = [
  (response) => response.writeHead(200).end('<html>Welcome</html>'),
  (response) => response.writeHead(201).end('<html>Created</html>'),
  (response) => response.writeHead(201, { 'content-type': 'application/json' }).end('{"status":"ok"}'),
  (response) => response.writeHead(201).end('{"authorizationId":"a","authorizedAt":5}'),
  (response) => response.writeHead(402).end('<html>Payment required</html>'),
  (response) => response.writeHead(404).end('{"error":"not found"}'),
  (response) => response.writeHead(409).end('conflict'),
  (response) => response.writeHead(422).end('[]'),
  (response) => response.writeHead(429).end(),
  (response) => response.writeHead(500).end('{"code":"internal"}'),
  (response) => response.writeHead(302, { location: '/login' }).end(),
  (response) => response.writeHead(201).end('x'.repeat(200_000)),
  (response) => response.writeHead(201, { 'content-length': 500 }).end('{"authorizationId":', () => response.destroy()),
  (response) => response.socket?.resetAndDestroy(),
  (response) => response.socket?.end('no HTTP at all\r\n\r\n'),
]

/** A faulty service: for each order two nonsense responses before the definite answer. */
async function openIllService(answer: (response: ServerResponse) => void) {
  const asked = new Map<string, string[]>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { orderId } = JSON.parse(Buffer.concat(chunks).toString()) as { orderId: string }
      const keys = asked.get(orderId) ?? []
      asked.set(orderId, [...keys, String(request.headers['idempotency-key'])])
      const say = nonsense[Number(orderId.split('-')[1])]
      if (say && keys.length < 2) say(response)
      else answer(response)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    [Symbol.dispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

const definitely = (status: number, body: object) => (response: ServerResponse) =>
  response.writeHead(status).end(JSON.stringify(body))

test.each([
  [
    'payment',
    'payments',
    'PaymentDeclined',
    definitely(402, { code: 'insufficient_funds', declinedAt: 1_700_000_000_000 }),
    ['placed'],
  ],
  [
    'shipping',
    'shipping',
    'FulfilmentCancelled',
    definitely(422, { code: 'undeliverable_address', refusedAt: 1_700_000_000_000 }),
    ['placed', 'authorized', 'reserved'],
  ],
] as const)(
  '%s asks again after nonsense; a definite refusal is an answer',
  async (folder, topic, type, answer, events) => {
    await using bench = await openTestBench(folder, 'select 1')
    using service = await openIllService(answer)
    const { url } = service
    const config = {
      ...bench.config,
      gateway: { ...bench.config.gateway, url },
      carrier: { ...bench.config.carrier, url },
    }
    const ids = [...nonsense.keys()].map((index) => `o-${index}`)
    const told = ids.map((id) => eventsOf(id))
    await bench.publish(events.flatMap((name) => told.map((each) => each[name])))
    await bench.replica(await loadConsumer(folder, config))
    await waitUntil('all have their answer', async () => (await published(bench, topic)).length >= ids.length)
    const records = await readTopic(bench.sandbox.kafka, `${bench.sandbox.namespace}${topic}`)
    const said = records.map(({ key, headers }) => `${String(key)} ${String(headers?.['ce_type']).split('.').at(-1)}`)
    expect(said.toSorted()).toEqual(ids.map((id) => `${id} ${type}`).toSorted())
    expect([...service.asked.values()].map((keys) => [keys.length, new Set(keys).size])).toEqual(ids.map(() => [3, 1]))
    expect((await bench.pool.query('select from parked')).rowCount).toBe(0)
  },
)
