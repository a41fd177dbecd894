import { expect, test } from '@jest/globals'
import type { Kafka } from 'kafkajs'
import { openSocket, readBroker } from '../../../infra/kafka/broker-socket.ts'
import { createKafka } from '../../../infra/kafka/client.ts'
import { openMonitor } from '../../../infra/monitor/monitor.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { Fault } from '../../../infra/testing/faults/fault.ts'
import { TcpProxy } from '../../../infra/testing/faults/tcp-proxy.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { schemaName } from '../load-consumer.ts'
import { countTable, orders, tallyConsumer } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'

const group = 'tester'
const patience = { withinMs: 120_000 }

/** A replica whose ways to PostgreSQL, to Kafka for its group and to Kafka for what it publishes can be broken apart. */
async function openWatchedReplica() {
  await using opening = new AsyncDisposableStack()
  const bench = opening.use(await openTestBench(group, countTable))
  const { config, log, namespace } = bench.sandbox
  const database = new URL(config.postgres.url)
  const [broker = ''] = config.kafka.brokers
  const proxyTo = async (target: { host: string; port: number }) => opening.use(await TcpProxy.open({ target }))
  const ways = {
    commit: await proxyTo({ host: database.hostname, port: Number(database.port) }),
    heartbeat: await proxyTo(readBroker(broker)),
    publish: await proxyTo(readBroker(broker)),
  }
  const through = ({ port }: TcpProxy): Kafka =>
    createKafka({
      ...{ servers: config.kafka, clientId: 'through', log, requestTimeoutMs: 2_000 },
      connect: (address) => openSocket({ ...address, host: '127.0.0.1', port }),
    })
  const publishing = through(ways.publish)
  const kafka: Kafka = Object.assign(through(ways.heartbeat), {
    producer: (...options: Parameters<Kafka['producer']>) => publishing.producer(...options),
  })
  const url = Object.assign(new URL(database), { hostname: '127.0.0.1', port: String(ways.commit.port) }).href
  const pool = createPool({ url, schema: schemaName(namespace, group), name: 'through', answerWithinMs: 1_000, log })
  opening.defer(() => pool.end())
  const monitor = await openMonitor({ service: group, replica: `${group}@test:1`, host: '127.0.0.1', port: 0 })
  opening.defer(() => monitor.stop())
  const replica = await bench.replica(tallyConsumer(group), 'watched', { pool, kafka, meter: monitor.meter })
  opening.defer(() => replica.stop())
  opening.defer(() => Object.values(ways).forEach((way) => way.heal())) // Before the replica stops
  monitor.ready(replica.checks)
  const resources = opening.move()
  return {
    ...{ bench, ways },
    /** What `GET /ready` answers. */
    async ready() {
      const response = await fetch(`${monitor.url}/ready`)
      const { checks } = (await response.json()) as { checks: Record<string, string> }
      return { status: response.status, ill: Object.keys(checks).filter((name) => checks[name] !== 'ok'), checks }
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

const faults: readonly ['commit' | 'heartbeat' | 'publish', Fault][] = [
  ['commit', { kind: 'stall' }],
  ['commit', { kind: 'cut' }],
  ['heartbeat', { kind: 'stall' }],
  ['publish', { kind: 'cut' }],
  ['publish', { kind: 'stall' }],
]

test('a replica is not ready while it cannot commit, heartbeat or publish, says which, and is ready again afterwards', async () => {
  await using watched = await openWatchedReplica()
  const { bench, ways, ready } = watched
  let published = 0
  const publish = async (count: number) => {
    await bench.publish(orders(count))
    published += count
  }
  await publish(3)
  await waitUntil('it is ready', async () => (await ready()).status === 200, patience)
  for (const [what, fault] of faults) {
    ways[what].inject(fault)
    await waitUntil(
      `it is not ready: ${what} ${fault.kind}`,
      async () => {
        await publish(1) // Whether it can publish shows only when it has something to
        const { status, ill } = await ready()
        return status === 503 && ill.includes(what)
      },
      { ...patience, everyMs: 250 },
    )
    const { ill, checks } = await ready()
    expect(ill.length === 1 ? ill : checks).toEqual([what])
    ways[what].heal()
    await waitUntil(`it is ready again: ${what}`, async () => (await ready()).status === 200, patience)
  }
  await bench.settled(['orders'])
  const { rows } = await bench.pool.query<{ placed: number }>('select sum(placed)::int as placed from count')
  expect(rows[0]?.placed).toBe(published)
})
