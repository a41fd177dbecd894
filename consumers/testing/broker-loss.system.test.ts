import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { withAdmin } from '../../infra/kafka/client.ts'
import { openRangeReader } from '../../infra/kafka/read-ranges.ts'
import { coordinatorOf, leaderOf } from '../../infra/testing/brokers/roles.ts'
import { startThreeBrokers } from '../../infra/testing/brokers/three-brokers.ts'
import type { ThreeBrokers } from '../../infra/testing/brokers/three-brokers.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { createSandbox } from '../../schemas/testing/sandbox.ts'
import { deployTopics } from '../operations/deploy/steps.ts'
import { newEventId } from '../../schemas/event-id.ts'
import { laneOf } from '../../schemas/partition.ts'
import { Publisher } from '../../producers/direct/publisher.ts'
import { measureGaps } from '../runtime/testing/measure-gaps.ts'
import { ledgerSums } from '../runtime/testing/observe.ts'
import { countTable, orderPlaced, tallyConsumer } from '../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../runtime/testing/test-bench.ts'
import type { TestBench } from '../runtime/testing/test-bench.ts'
import { note } from '../../infra/testing/test-logger.ts'

const group = 'tester'
const partitions = 6
const sessionTimeoutMs = 6_000
const limitMs = sessionTimeoutMs + 5_000
const freezeMs = 15_000

let brokers: ThreeBrokers
let bench: TestBench
beforeAll(async () => {
  brokers = await startThreeBrokers(23_000)
  bench = await openTestBench(group, countTable, partitions, {
    TALLY_KAFKA_BROKERS: brokers.addresses.join(),
    TALLY_SESSION_TIMEOUT_MS: String(sessionTimeoutMs),
  })
  await bench.replica(tallyConsumer(group))
  await bench.replica(tallyConsumer(group))
}, 180_000)
afterAll(async () => {
  await bench?.[Symbol.asyncDispose]()
  await brokers?.[Symbol.asyncDispose]()
}, 120_000)

const roles: Record<string, () => Promise<number> | number> = {
  'the group coordinator': () => coordinatorOf(bench.sandbox.kafka, `${bench.sandbox.namespace}${group}`),
  'the leader of a partition': () => leaderOf(bench.sandbox.kafka, `${bench.sandbox.namespace}orders`, 0),
  'the active controller': () => brokers.controller(),
}
const losses = Object.keys(roles).flatMap((role) => [
  { role, how: 'killed' as const },
  { role, how: 'frozen' as const },
])

/** An order for each lane, a tenth of a second apart, until told to end: acknowledged ones only are counted. */
async function ordersForEveryLane(signal: AbortSignal): Promise<number> {
  const { kafka, namespace } = bench.sandbox
  const publisher = await Publisher.connect({ kafka, namespace, codec: bench.codec })
  const keys = new Map<number, string>()
  while (keys.size < partitions) {
    const key = newEventId()
    keys.set(laneOf(key, partitions), key)
  }
  let sent = 0
  const publishing: Promise<void>[] = []
  await waitUntil(
    'enough orders are sent',
    () => {
      for (const key of keys.values()) publishing.push(publisher.publish([{ ...orderPlaced(key), id: newEventId() }]))
      sent += keys.size
      return signal.aborted
    },
    { withinMs: 120_000, everyMs: 100 },
  )
  await Promise.all(publishing)
  await publisher.stop()
  return sent
}

let sentSoFar = 0
test.each(losses)('$role $how: every lane goes on within session timeout + 5 s', async ({ role, how }) => {
  const topics = ['orders', 'inventory', '__consumer_offsets']
  const names = topics.map((name) => (name.startsWith('__') ? name : `${bench.sandbox.namespace}${name}`))
  const enough = new AbortController()
  const sending = ordersForEveryLane(enough.signal)
  const gaps = await measureGaps(bench.pool, partitions, async (moving) => {
    await moving()
    await brokers.whole(bench.sandbox.kafka, names)
    await moving()
    const id = await roles[role]!()
    const began = performance.now()
    const thaw = how === 'frozen' ? brokers.freeze(id) : undefined
    if (how === 'killed') brokers.kill(id)
    await waitUntil('the time of the fault is over', () => performance.now() - began > freezeMs, { withinMs: 60_000 })
    thaw?.()
    await moving()
    await brokers.whole(bench.sandbox.kafka, names)
    await moving()
  })
  enough.abort()
  sentSoFar += await sending
  const longest = Math.max(...gaps.values())
  note(`${role} ${how}: longest gap of a lane ${(longest / 1_000).toFixed(1)} s\n`)
  expect(longest).toBeLessThan(limitMs)
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: sentSoFar, parked: 0 })
})

test.each(['killed', 'frozen'] as const)('ends are asked and ranges read while a leader is %s', async (how) => {
  const { kafka, namespace } = bench.sandbox
  const topic = `${namespace}orders`
  await brokers.whole(kafka, [topic])
  const leader = await leaderOf(kafka, topic, 0)
  const thaw = how === 'frozen' ? brokers.freeze(leader) : undefined
  if (how === 'killed') brokers.kill(leader)
  const began = performance.now()
  const ends = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic))
  const asked = performance.now()
  const ranges = ends.map(({ partition, low, high }) => ({ topic, partition, from: Number(low), to: Number(high) }))
  const { signal } = new AbortController()
  await using reader = await openRangeReader({ kafka, ranges, signal })
  for (const { partition, from, to } of ranges) {
    let at = from
    for (let piece = await reader.next(topic, partition); piece; piece = await reader.next(topic, partition))
      at = piece.to
    expect(at).toBe(to)
  }
  const seconds = (from: number, to: number) => `${((to - from) / 1_000).toFixed(1)} s`
  const took = `ends after ${seconds(began, asked)}, all records after ${seconds(asked, performance.now())} more`
  process.stderr.write(`a leader ${how}: ${took}\n`)
  thaw?.()
  expect(performance.now() - began).toBeLessThan(limitMs * 2)
})

test('a stall of all brokers ends no replica: lanes say that no heartbeat is answered, and go on afterwards', async () => {
  await brokers.whole(bench.sandbox.kafka, [`${bench.sandbox.namespace}orders`])
  const thaws = [1, 2, 3].map((id) => brokers.freeze(id))
  await waitUntil('the lanes say so', async () => {
    const { rows } = await bench.pool.query('select distinct phase, reason from lane_state')
    return rows.length === 1 && rows[0]?.phase === 'waiting' && rows[0]?.reason === 'Kafka answers no heartbeat'
  })
  for (const thaw of thaws) thaw()
  const enough = new AbortController()
  enough.abort()
  sentSoFar += await ordersForEveryLane(enough.signal)
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: sentSoFar, parked: 0 })
  await waitUntil('the lanes are live again', async () => {
    const { rows } = await bench.pool.query('select distinct phase from lane_state')
    return rows.length === 1 && rows[0]?.phase === 'live'
  })
})

test('with a broker down nothing is deployed with fewer copies, unless told to', async () => {
  await using stack = new AsyncDisposableStack()
  const sandbox = stack.use(createSandbox({ TALLY_KAFKA_BROKERS: brokers.addresses.join() }))
  const { config, log, kafka, namespace } = sandbox
  await brokers.whole(kafka, ['__consumer_offsets'])
  stack.defer(brokers.freeze(3))
  await withAdmin(kafka, (admin) =>
    waitUntil('the broker is taken for lost', async () => (await admin.describeCluster()).brokers.length === 2),
  )
  await expect(deployTopics(config, log)).rejects.toThrow(/^Only 2 of Kafka's 3 brokers are up/)
  await deployTopics(config, log, undefined, { allowFewer: true })
  await withAdmin(kafka, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [`${namespace}orders`] })
    expect(topics[0]?.partitions.map(({ replicas }) => replicas.length)).not.toContain(3)
  })
})
