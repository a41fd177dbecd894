import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import kafkajs from 'kafkajs'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { readGroupAccount } from '../../operations/group-account.ts'
import { chooseGroups } from '../../operations/groups.ts'
import { createLosses } from '../../../scripts/verify/acts/losses.ts'
import type { Evidence } from '../../../scripts/verify/evidence.ts'
import { offsetsTiled } from '../../../scripts/verify/invariants/offsets-tiled.ts'
import { takenOnce } from '../../../scripts/verify/invariants/taken-once.ts'
import { topicsWhole } from '../../../scripts/verify/invariants/topics-whole.ts'
import { readHistory } from '../../../scripts/verify/topic-history.ts'
import { counts } from '../testing/observe.ts'
import { countTable, orders, tallyConsumer } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'
import type { TestBench } from '../testing/test-bench.ts'

const group = 'order-status' // The command knows only consumers that have a folder
const lanes = 3
const broken = 1
const tooMany = 250_001

interface Cluster {
  connect(): Promise<void>
  disconnect(): Promise<void>
  addMultipleTargetTopics(topics: string[]): Promise<void>
  findLeaderForPartitions(topic: string, partitions: number[]): Record<string, number[]>
  findBroker(node: { nodeId: string }): Promise<{ produce(request: object): Promise<unknown> }>
}

/** By a broker of kafkajs itself: its producer needs minutes to sort so many records by partition. */
async function publishTooMany({ sandbox: { kafka, namespace } }: TestBench): Promise<void> {
  const topic = `${namespace}orders`
  const symbol = Object.getOwnPropertySymbols(kafka).find((each) => each.description === 'private:Kafka:createCluster')
  const cluster = (kafka as unknown as Record<symbol, (options: object) => Cluster>)[symbol!]!({
    metadataMaxAge: 300_000,
  })
  await cluster.connect()
  await cluster.addMultipleTargetTopics([topic])
  const [leader] = Object.keys(cluster.findLeaderForPartitions(topic, [broken]))
  const broker = await cluster.findBroker({ nodeId: leader! })
  const messages = Array.from({ length: tooMany }, () => ({ key: null, value: 'v', headers: {} }))
  const topicData = [{ topic, partitions: [{ partition: broken, firstSequence: 0, messages }] }]
  await broker.produce({ topicData, compression: kafkajs.CompressionTypes.GZIP })
  await cluster.disconnect()
}

/** Runs the command that the lane proposes, as its operator would. */
async function runProposed({ sandbox: { env } }: TestBench, reason: string): Promise<void> {
  const [, args = '', why = ''] = /to pass it: npm run lanes -- (.+) --why "(.+)"$/.exec(reason) ?? []
  await promisify(execFile)(
    process.execPath,
    ['scripts/lanes.ts', ...args.split(' '), '--why', why, '--actor', 'ann', '--yes'],
    { cwd: resolve(import.meta.dirname, '../../..'), env },
  )
}

test('a batch that cannot be read stops its lane alone, until an operator runs the command that it proposes', async () => {
  await using bench = await openTestBench(group, countTable, lanes)
  const inBroken = (events: ReturnType<typeof orders>) =>
    events.filter(({ data }) => laneOf(data.orderId, lanes) === broken)
  const before = orders(12)
  await bench.publish(before)
  await publishTooMany(bench)
  await bench.replica(tallyConsumer(group))
  const stopped = async () =>
    (
      await bench.pool.query<{ lane: number; reason: string }>(
        `select lane, reason from lane_state where phase = 'stopped'`,
      )
    ).rows
  await waitUntil('the lane has stopped', async () => (await stopped()).length > 0)
  const from = inBroken(before).length
  const to = from + tooMany
  const place = `orders/${broken}`
  const why = `The record batch at offset ${from} has ${tooMany} records, too many to hold`
  const pass = `npm run lanes -- skip ${group}/${broken} --offsets ${place}:${from}-${to - 1} --why "damaged"`
  const reason = `${place}@${from}: ${why}; to pass it: ${pass}`
  expect(await stopped()).toEqual([{ lane: broken, reason }])

  const after = orders(12)
  await bench.publish(after)
  const all = [...before, ...after]
  const readable = all.length - inBroken(after).length
  await waitUntil('all other events are handled', async () => (await counts(bench)).size === readable)

  await runProposed(bench, reason)
  await bench.settled(['orders'])
  const found = await counts(bench)
  expect(all.map(({ data }) => found.get(data.orderId)?.placed)).toEqual(all.map(() => 1))
  expect(await stopped()).toEqual([])

  const [statusGroup] = await chooseGroups(bench.config, [group])
  const account = await readGroupAccount(bench.pool, statusGroup!)
  expect(account.skipped).toMatchObject([
    { topic: 'orders', partition: broken, from, to, actor: 'ann', why: 'damaged' },
  ])
  const spans = account.ledger.get(place) ?? []
  const sum = (of: 'taken' | 'holes') => spans.reduce((total, span) => total + span[of], 0)
  expect({ taken: sum('taken'), holes: sum('holes') }).toEqual({ taken: inBroken(all).length, holes: tooMany })
  // What `verify` finds: the consumer under test reads one topic only
  const topics = ['orders']
  const history = await readHistory({ ...bench.sandbox, codec: bench.codec, topics })
  const own = { ...statusGroup!, handles: new Set(['OrderPlaced'] as const), topics: new Set(topics) }
  const groups = [{ group: own, account }]
  const evidence = { history, groups, losses: createLosses(groups, history) } as unknown as Evidence
  const findings = [takenOnce, offsetsTiled, topicsWhole].map((invariant) => invariant(evidence))
  expect(findings.map(({ violations, examples }) => ({ violations, examples }))).toEqual([
    { violations: 0, examples: [] },
    { violations: 0, examples: [] },
    { violations: 0, examples: [`${place} offsets ${from} to ${to - 1}: cannot be read`] },
  ])
})
