import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { appendOutbox } from '../../../../producers/outbox/outbox-table.ts'
import { batchOf } from '../../../../producers/outbox/testing/stored-events.ts'
import type { KafkaMessage } from 'kafkajs'
import { readTopic } from '../../../../infra/testing/read-topic.ts'
import { toHeaders } from '../../../../schemas/envelope.ts'
import { newEventId } from '../../../../schemas/event-id.ts'
import { writeHeader } from '../../../../schemas/codec/framing.ts'
import { loadSchemas } from '../../../../schemas/load-schemas.ts'
import { countTable, orderPlaced, orders, tallyConsumer } from '../../../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../../runtime/testing/test-bench.ts'
import type { Published, TestBench } from '../../../runtime/testing/test-bench.ts'
import { makePlan } from './make-plan.ts'
import type { PlanRequest } from './make-plan.ts'
import type { Plan, PlanPartition } from '../plan.ts'
import { planId } from './plan-id.ts'
import { reasonsAgainst } from '../run/run-replay.ts'
import { openReplayFrame } from '../testing/replay-frame.ts'
import type { ReplayFrame } from '../testing/replay-frame.ts'

const group = 'tester'

const sum = ({ partitions }: Plan, of: 'scanned' | 'selected' | 'handled' | 'known') =>
  partitions.reduce((total, range) => total + range[of], 0)
const cancellations = (count: number): Published[] =>
  Array.from({ length: count }, () => ({
    type: 'CancellationRequested',
    data: { orderId: newEventId(), reason: 'late', requestedAt: Date.now() },
  }))

let bench: TestBench
let frame: ReplayFrame
/** Schema ids: of OrderPlaced as a later version writes it, and as nobody can read it. */
let later: number
let broken: number
const customer = 'of interest'
const wanted = newEventId()

/** 18 orders, three of one key, 5 cancellations nobody handles, an order of each schema, and noise. */
beforeAll(async () => {
  bench = await openTestBench(group, countTable, 3, { TALLY_RETRY_LIMIT: '0' })
  const { schema } = loadSchemas().find(({ type }) => type === 'OrderPlaced')!
  const { fields, ...rest } = schema as { fields: object[] }
  later = await register('later', {
    ...rest,
    fields: [...fields, { name: 'gift', type: ['null', 'string'], default: null }],
  })
  broken = await register('broken', { ...rest, fields: [{ name: 'total', type: 'string' }] })
  frame = await openReplayFrame(bench, tallyConsumer(group))
  const replica = await bench.replica(tallyConsumer(group))
  await bench.publish([...orders(18), ...Array.from({ length: 3 }, () => orderPlaced(wanted, customer))])
  await bench.publish(cancellations(5))
  await bench.publishRaw('orders', { key: 'noise', value: Buffer.from('{"no":"schema"}') })
  await bench.publishRaw('orders', framedAs(broken, 'unreadable'))
  await bench.publishRaw('orders', framedAs(later, newEventId()))
  await bench.settled(['orders'])
  await replica.stop()
})
afterAll(async () => {
  await frame[Symbol.asyncDispose]()
  await bench[Symbol.asyncDispose]()
})

async function register(subject: string, schema: object): Promise<number> {
  const { config, namespace } = bench.sandbox
  const response = await fetch(`${config.registry.url}/subjects/${namespace}${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: JSON.stringify(schema) }),
  })
  return ((await response.json()) as { id: number }).id
}

/** An order as another writer frames it: the schemas above begin like ours. */
function framedAs(schemaId: number, orderId: string) {
  const { data } = orderPlaced(orderId)
  const value = Buffer.concat([bench.codec.encode('OrderPlaced', data), Buffer.from([0])]) // No gift
  writeHeader(value, 0, schemaId)
  const about = { id: newEventId(), type: 'OrderPlaced', source: '/later', time: Date.now() } as const
  return { key: orderId, value, headers: toHeaders({ ...about, subject: orderId, correlationId: orderId }) }
}

const plan = (request: Partial<PlanRequest> = {}) =>
  makePlan(frame.context, { mode: 'reprocess', topics: ['orders'], ...request })

test('a plan says of each partition exactly what is there', async () => {
  const read = await readTopic(bench.sandbox.kafka, `${bench.sandbox.namespace}orders`)
  const made = await plan({ mode: 'redeliver' })
  expect(made.partitions.length).toBeGreaterThan(0)
  for (const range of made.partitions) {
    const there = read.filter(({ partition }) => partition === range.partition)
    const times = there.map(({ timestamp }) => Number(timestamp))
    expect(range).toMatchObject({
      low: 0,
      from: 0,
      to: there.length,
      end: there.length,
      position: there.length,
      lost: 0,
      scanned: there.length,
      selected: there.length,
      bytes: there.reduce((bytes, record) => bytes + bytesOf(record), 0),
      firstTime: Math.min(...times),
      lastTime: Math.max(...times),
      forgotten: 0,
    } satisfies Partial<PlanPartition>)
  }
  expect([sum(made, 'selected'), sum(made, 'handled'), sum(made, 'known')]).toEqual([29, 24, 24])
  expect(made).toMatchObject({ mode: 'redeliver', group, unframed: 1, parkedEvents: 2, id: planId(made) })
  expect(made.topics).toEqual([{ topic: 'orders', topicId: expect.stringMatching(/^[\da-f]{32}$/) }])
  expect(made.cluster).toMatchObject({ namespace: bench.sandbox.namespace, partitions: 3 })
})

test('a plan says of each schema who uses it and whether it can be read, also of what only waits somewhere', async () => {
  const event = bench.codec.encode('PaymentVoided', { orderId: 'o', authorizationId: 'a', voidedAt: Date.now() })
  const waiting = [event, Buffer.alloc(0)].map((value, index) => batchOf(0, 900 + index, { topic: 'payments', value }))
  await appendOutbox(bench.pool, waiting)
  try {
    const { schemas } = await plan()
    expect(await reasonsAgainst(frame.context, await plan({ mode: 'redeliver' }), {})).toEqual([
      expect.stringContaining(`1 events have schema ${broken}, which cannot be read: `),
    ])
    const of = (id: number | undefined) => schemas.find((schema) => schema.id === id)
    const readable = { parked: 0, outbox: 0, unreadable: null }
    expect(of(later)).toEqual({ id: later, type: 'OrderPlaced', records: 1, ...readable })
    expect(of(broken)).toEqual({
      id: broken,
      type: 'OrderPlaced',
      records: 1,
      parked: 1,
      outbox: 0,
      unreadable: expect.stringContaining("cannot be read as today's"),
    })
    expect(of(bench.codec.schemaIdOf(event))).toEqual({
      id: bench.codec.schemaIdOf(event),
      type: 'PaymentVoided',
      records: 0,
      parked: 0,
      outbox: 1,
      unreadable: null,
    })
    expect(schemas.map(({ type, records }) => `${type}: ${records}`).sort()).toEqual([
      'CancellationRequested: 5',
      'OrderPlaced: 1',
      'OrderPlaced: 1',
      'OrderPlaced: 21',
      'PaymentVoided: 0',
    ])
  } finally {
    await bench.pool.query('delete from outbox_batch')
  }
})

test.each<[string, PlanRequest['selector'], number]>([
  ['a key', { keys: [wanted] }, 3],
  ['two keys', { keys: [wanted, 'noise'] }, 4],
  ['a type', { types: ['CancellationRequested'] }, 5],
  ['a header', { headers: [{ name: 'ce_source', value: '/later' }] }, 2],
  ['a header whatever it says', { headers: [{ name: 'ce_id' }] }, 28],
  ['all of that together', { keys: [wanted], types: ['CancellationRequested'] }, 0],
])('a plan counts by %s what is chosen, and all it has read', async (_, selector, chosen) => {
  const made = await plan({ selector })
  expect([sum(made, 'scanned'), sum(made, 'selected')]).toEqual([29, chosen])
  expect(made.selector).toEqual(selector)
})

test('a plan without a group needs none, and says nothing of one', async () => {
  await using groupless = await openReplayFrame(bench)
  const made = await makePlan(groupless.context, { mode: 'copy', topics: ['orders'], toTopic: 'payments' })
  expect(made).toMatchObject({ group: null, toTopic: 'payments', parkedEvents: 0 })
  expect(made.partitions[0]).toMatchObject({ position: null, known: 0, forgotten: 0 })
  expect(sum(made, 'handled')).toBe(sum(made, 'selected'))
})

test('planning stops when it is told to', async () => {
  const stop = new AbortController()
  const onProgress = () => stop.abort(new Error('enough'))
  await expect(
    makePlan(frame.context, { mode: 'redeliver', topics: ['orders'] }, { signal: stop.signal, onProgress }),
  ).rejects.toThrow('enough')
})

const bytesOf = ({ key, value, headers }: KafkaMessage): number =>
  (key?.length ?? 0) +
  (value?.length ?? 0) +
  Object.entries(headers ?? {}).reduce((bytes, [name, text]) => bytes + name.length + (text as Buffer).length, 0)
