import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { withAdmin } from '../../infra/kafka/admin.ts'
import { openRangeReader } from '../../infra/kafka/read-ranges.ts'
import { coordinatorOf, leaderOf, leadsNothing } from '../../infra/testing/brokers/roles.ts'
import { startBrokers } from '../../infra/testing/brokers/start-brokers.ts'
import type { TestBrokers } from '../../infra/testing/brokers/start-brokers.ts'
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
/** Twice what is promised: other tests run beside this one. `chaos --brokers 3` holds a quiet machine to it. */
const recoveryMs = 10_000

let brokers: TestBrokers
let bench: TestBench
beforeAll(async () => {
  brokers = await startBrokers(26_000, 3)
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

interface Sent {
  /** Acknowledged orders. */
  orders: number
  /** The longest time without an acknowledgement, ms. */
  longestGapMs: number
}

/** An order for each lane, a tenth of a second apart, until told to end; resolves when all are acknowledged. */
async function ordersForEveryLane(signal: AbortSignal): Promise<Sent> {
  const { kafka, namespace } = bench.sandbox
  const publisher = await Publisher.connect({ kafka, namespace, codec: bench.codec })
  const keys = new Map<number, string>()
  while (keys.size < partitions) {
    const key = newEventId()
    keys.set(laneOf(key, partitions), key)
  }
  const sent = { orders: 0, longestGapMs: 0 }
  let last = performance.now()
  const publish = async (key: string) => {
    await publisher.publish([{ ...orderPlaced(key), id: newEventId() }])
    sent.orders++
    sent.longestGapMs = Math.max(sent.longestGapMs, performance.now() - last)
    last = performance.now()
  }
  const publishing: Promise<void>[] = []
  await waitUntil(
    'enough orders are sent',
    () => {
      for (const key of keys.values()) publishing.push(publish(key))
      return signal.aborted
    },
    { withinMs: 120_000, everyMs: 100 },
  )
  await Promise.all(publishing)
  await publisher.stop()
  return sent
}

const inSeconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`

let sentSoFar = 0
test.each(losses)('$role $how: every lane moves soon after the session timeout', async ({ role, how }) => {
  const topics = ['orders', 'inventory', '__consumer_offsets']
  const names = topics.map((name) => (name.startsWith('__') ? name : `${bench.sandbox.namespace}${name}`))
  const enough = new AbortController()
  const sending = ordersForEveryLane(enough.signal)
  let fencedMs = 0
  const gaps = await measureGaps(bench.pool, partitions, async (moving) => {
    await moving()
    await brokers.whole(bench.sandbox.kafka, names)
    await moving()
    const id = await roles[role]!()
    const began = performance.now()
    const thaw = how === 'frozen' ? brokers.freeze(id) : undefined
    if (how === 'killed') brokers.kill(id)
    note(`broker ${id} is ${how}\n`)
    await leadsNothing(bench.sandbox.kafka, id, names)
    fencedMs = performance.now() - began
    await moving() // While a frozen one is still frozen
    await moving()
    thaw?.()
    await brokers.whole(bench.sandbox.kafka, names)
    await moving()
  })
  enough.abort()
  const sent = await sending
  sentSoFar += sent.orders
  const longest = Math.max(...gaps.values())
  const figures = `a lane ${inSeconds(longest)}, publishing ${inSeconds(sent.longestGapMs)}`
  process.stderr.write(`${role} ${how}: longest gap of ${figures}; new leaders after ${inSeconds(fencedMs)}\n`)
  // On a busy machine Kafka itself may take longer than a session to name new leaders
  expect(longest).toBeLessThan(Math.max(sessionTimeoutMs, fencedMs) + recoveryMs)
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
  const took = `ends after ${inSeconds(asked - began)}, all records after ${inSeconds(performance.now() - asked)} more`
  process.stderr.write(`a leader ${how}: ${took}\n`)
  thaw?.()
  expect(performance.now() - began).toBeLessThan((sessionTimeoutMs + recoveryMs) * 2)
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
  sentSoFar += (await ordersForEveryLane(enough.signal)).orders
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
  stack.defer(brokers.freeze(brokers.controller())) // Which creates the topics
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
