import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createTopics } from '../../../../infra/kafka/topics.ts'
import { withAdmin } from '../../../../infra/kafka/admin.ts'
import { countTable, orders, tallyConsumer } from '../../../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../../runtime/testing/test-bench.ts'
import type { TestBench } from '../../../runtime/testing/test-bench.ts'
import { checkDrift } from './check-drift.ts'
import { makePlan } from './make-plan.ts'
import type { ReplayContext } from '../mode.ts'
import type { Plan } from '../plan.ts'
import { startReplay } from '../run/run-replay.ts'
import { openReplayFrame } from '../testing/replay-frame.ts'
import type { ReplayFrame } from '../testing/replay-frame.ts'

const group = 'tester'
const none = { fatal: [], drift: [] }
const fatal = (sentence: string | RegExp) => ({ fatal: [expect.stringMatching(sentence)], drift: [] })
const drift = (sentence: string | RegExp) => ({ fatal: [], drift: [expect.stringMatching(sentence)] })

let bench: TestBench
let frame: ReplayFrame
let plan: Plan

/** One lane that has taken 8 orders. */
beforeAll(async () => {
  bench = await openTestBench(group, countTable, 1)
  frame = await openReplayFrame(bench, tallyConsumer(group))
  await bench.replica(tallyConsumer(group))
  await bench.publish(orders(8))
  await bench.settled(['orders'])
  plan = await makePlan(frame.context, { mode: 'redeliver' })
})
afterAll(async () => {
  await frame[Symbol.asyncDispose]()
  await bench[Symbol.asyncDispose]()
})

const check = (context: Partial<ReplayContext> = {}, of: Plan = plan) =>
  checkDrift({ ...frame.context, ...context }, of)
const startsNot = (of: Plan) =>
  expect(startReplay(frame.context, of, {}, { actor: 'ada' })).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })

test('that a live group reads on is no drift', async () => {
  expect(await check()).toEqual(none)
  await bench.publish(orders(2))
  await bench.settled(['orders'])
  expect(await check()).toEqual(none)
})

test.each<[string, Partial<Plan['cluster']>, RegExp]>([
  ['cluster', { id: 'elsewhere' }, /^the plan was made on another cluster: elsewhere, this is /],
  ['namespace', { namespace: '' }, /^the plan was made without a namespace, not for namespace t/],
  ['count of partitions', { partitions: 12 }, /made with 12 partitions, now there are 1: keys have changed lanes/],
])('a plan of another %s is refused', async (_, cluster, sentence) => {
  const other = { ...plan, cluster: { ...plan.cluster, ...cluster } }
  expect(await check({}, other)).toEqual(fatal(sentence))
  await startsNot(other)
})

test('a plan of a topic that was re-created or deleted is refused', async () => {
  const { kafka, namespace } = bench.sandbox
  const topic = `${namespace}trial`
  await withAdmin(kafka, (admin) => createTopics(admin, [{ topic, numPartitions: 1 }]))
  const trial = { ...plan, topics: [{ topic: 'trial', topicId: plan.topics[0]!.topicId }], partitions: [] }
  expect(await check({}, trial)).toEqual(
    fatal('topic trial was deleted and re-created since: its offsets denote other events'),
  )
  await startsNot(trial)
  const partitions = [{ ...plan.partitions[0]!, topic: 'trial', partition: 4 }]
  expect(await check({}, { ...trial, topics: [{ topic: 'trial', topicId: null }], partitions })).toEqual(
    fatal('trial/4 no longer exists'),
  )
  expect(await check({}, { ...trial, topics: [{ topic: 'gone', topicId: null }] })).toEqual(
    fatal('topic gone no longer exists'),
  )
})

test('a schema that could be read and cannot be any more is drift', async () => {
  const { codec } = bench
  const later = { ...codec, whyUnreadable: () => 'its field total is gone' }
  const { id } = plan.schemas.find(({ type }) => type === 'OrderPlaced')!
  expect(await check({ codec: later })).toEqual(
    drift(`schema ${id} of 8 events could be read, now it cannot: its field total is gone`),
  )
  const known = plan.schemas.map((schema) => ({ ...schema, unreadable: 'that was so before' }))
  expect(await check({ codec: later }, { ...plan, schemas: known })).toEqual(none)
})

test('a group that no longer reads a topic, or another group, is told', async () => {
  const definition = { ...frame.context.definition!, handlers: {} }
  expect(await check({ definition })).toEqual(drift('tester no longer reads orders'))
  expect(await check({}, { ...plan, group: 'other' })).toEqual(fatal('the plan is for group other'))
})

test('a group that has been put back is drift', async () => {
  const further = { ...plan, partitions: plan.partitions.map((range) => ({ ...range, position: 99 })) }
  expect(await check({}, further)).toEqual(drift(/^tester stood at offset 99 of orders\/0, now it is back at 10$/))
  await startsNot(further)
})

test('what retention deletes after the plan was made is told, and nothing is moved', async () => {
  const { kafka, namespace } = bench.sandbox
  const topic = `${namespace}orders`
  await withAdmin(kafka, async (admin) => {
    await admin.fetchTopicOffsets(topic) // kafkajs deletes in topics it has heard of only
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] })
  })
  expect(await check()).toEqual(fatal('retention has deleted offsets 0 to 2 of orders/0 since the plan was made'))
  await startsNot(plan)
  const rest = { ...plan, partitions: plan.partitions.map((range) => ({ ...range, from: 3 })) }
  expect(await check({}, rest)).toEqual(none)
  const cut = { ...plan, partitions: plan.partitions.map((range) => ({ ...range, from: 3, to: 50 })) }
  expect(await check({}, cut)).toEqual(fatal('orders/0 ends at offset 10 now: it was cut off, the plan goes to 50'))
})
