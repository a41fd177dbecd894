import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { KafkaMessage } from 'kafkajs'
import { withAdmin } from '../../infra/kafka.ts'
import { readTopic } from '../../infra/testing/read-topic.ts'
import { toHeaders } from '../../schemas/envelope.ts'
import { newEventId } from '../../schemas/event-id.ts'
import { writeHeader } from '../../schemas/framing.ts'
import { loadSchemas } from '../../schemas/load-schemas.ts'
import { laneOf } from '../../schemas/partition.ts'
import { countTable, orderPlaced, orders, tallyConsumer } from '../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../runtime/testing/test-bench.ts'
import type { Published, TestBench } from '../runtime/testing/test-bench.ts'
import { makePlan } from './make-plan.ts'
import type { PlanRequest } from './make-plan.ts'
import type { Plan, PlanPartition } from './plan.ts'
import { planId } from './plan-id.ts'
import { openReplayFrame } from './testing/replay-frame.ts'
import type { ReplayFrame } from './testing/replay-frame.ts'

const group = 'tester'
const weekMs = 7 * 24 * 3_600_000

const sum = ({ partitions }: Plan, of: 'scanned' | 'selected' | 'bytes' | 'handled' | 'known' | 'forgotten' | 'lost') =>
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

describe('a plan', () => {
  test('says of each partition exactly what is there', async () => {
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

  test('says of each schema who uses it and whether it can be read, also of what only waits somewhere', async () => {
    const event = bench.codec.encode('PaymentVoided', { orderId: 'o', authorizationId: 'a', voidedAt: Date.now() })
    await bench.pool.query(
      `insert into outbox (lane, seq, event_id, topic, key, headers, value)
       values (0, 900, gen_random_uuid(), 'payments', 'o', '{}', $1), (0, 901, gen_random_uuid(), 'payments', 'o', '{}', '')`,
      [event],
    )
    try {
      const { schemas } = await plan()
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
      expect(schemas.map(({ type, records }) => [type, records]).sort()).toEqual([
        ['CancellationRequested', 5],
        ['OrderPlaced', 1],
        ['OrderPlaced', 1],
        ['OrderPlaced', 21],
        ['PaymentVoided', 0],
      ])
    } finally {
      await bench.pool.query('delete from outbox')
    }
  })

  test.each<[string, PlanRequest['selector'], number]>([
    ['a key', { keys: [wanted] }, 3],
    ['two keys', { keys: [wanted, 'noise'] }, 4],
    ['a type', { types: ['CancellationRequested'] }, 5],
    ['a header', { headers: [{ name: 'ce_source', value: '/later' }] }, 2],
    ['a header whatever it says', { headers: [{ name: 'ce_id' }] }, 28],
    ['all of that together', { keys: [wanted], types: ['CancellationRequested'] }, 0],
  ])('counts by %s what is chosen, and all it has read', async (_, selector, chosen) => {
    const made = await plan({ selector })
    expect([sum(made, 'scanned'), sum(made, 'selected')]).toEqual([29, chosen])
    expect(made.selector).toEqual(selector)
  })

  test('pins offsets, times and positions', async () => {
    const { partitions } = await plan()
    const { partition, end, lastTime } = partitions.reduce((a, b) => (a.end > b.end ? a : b))
    const one = await plan({
      from: { at: 'offsets', offsets: new Map([[String(partition), 1]]) },
      to: { at: 'offsets', offsets: new Map([[`orders/${partition}`, 3]]) },
    })
    expect(one.partitions).toMatchObject([{ partition, from: 1, to: 3, scanned: 2 }])
    const last = await plan({ from: { at: 'time', time: lastTime! }, to: { at: 'latest' } })
    expect(last.partitions).toContainEqual(expect.objectContaining({ partition, from: end - 1, to: end }))
    const before = await plan({ to: { at: 'time', time: lastTime! } })
    expect(before.partitions).toContainEqual(expect.objectContaining({ partition, from: 0, to: end - 1 }))
    const live = orders(3)
    await bench.publish(live) // Nobody takes them
    try {
      expect(sum(await plan(), 'selected')).toBe(29)
      expect(sum(await plan({ from: { at: 'group' }, to: { at: 'latest' } }), 'selected')).toBe(3)
      expect(sum(await plan({ mode: 'copy', toTopic: 'payments' }), 'selected')).toBe(32)
    } finally {
      const replica = await bench.replica(tallyConsumer(group))
      await bench.settled(['orders'])
      await replica.stop()
    }
  })

  test('without a group needs none, and says nothing of one', async () => {
    await using groupless = await openReplayFrame(bench)
    const made = await makePlan(groupless.context, { mode: 'copy', topics: ['orders'], toTopic: 'payments' })
    expect(made).toMatchObject({ group: null, toTopic: 'payments', parkedEvents: 0 })
    expect(made.partitions[0]).toMatchObject({ position: null, known: 0, forgotten: 0 })
    expect(sum(made, 'handled')).toBe(sum(made, 'selected'))
  })

  test('stops when it is told to', async () => {
    const stop = new AbortController()
    const onProgress = () => stop.abort(new Error('enough'))
    await expect(
      makePlan(frame.context, { mode: 'redeliver', topics: ['orders'] }, { signal: stop.signal, onProgress }),
    ).rejects.toThrow('enough')
  })
})

describe('refused in a sentence', () => {
  const offsets = (place: string, offset: number) => ({ at: 'offsets', offsets: new Map([[place, offset]]) }) as const

  test.each<[string, Partial<PlanRequest>, string | RegExp]>([
    [
      'an unknown topic',
      { mode: 'copy', toTopic: 'b', topics: ['ordres'] },
      /^there is no topic ordres: there are inventory, orders/,
    ],
    ['a topic the group does not read', { topics: ['payments'] }, 'tester does not read payments: it reads orders'],
    [
      'a partition that is not there',
      { from: offsets('7', 0) },
      'there is no partition 7: there are orders/0 to orders/2',
    ],
    ['an offset beyond the end', { from: offsets('0', 9_999) }, /^orders\/0 ends at offset \d+: there is no 9999 yet$/],
    ['an end beyond the end', { to: { at: 'offset', offset: 5_000 } }, /ends at offset \d+: there is no 5000 yet/],
    [
      'an end before the beginning',
      { from: offsets('0', 2), to: offsets('0', 1) },
      'would end at offset 1, before it begins at 2',
    ],
    ['nothing in between', { from: offsets('0', 2), to: offsets('0', 2) }, 'the range is empty'],
    [
      'times the wrong way round',
      { from: { at: 'time', time: 2 }, to: { at: 'time', time: 1 } },
      'would end before it begins',
    ],
    [
      'a partition of which topic',
      { mode: 'copy', toTopic: 'b', topics: ['orders', 'stock'], from: offsets('0', 0) },
      'say orders/0',
    ],
    ['what the group has not read', { from: { at: 'group' } }, 'the range is empty'],
    [
      'a choice where none can be made',
      { mode: 'redeliver', selector: { keys: ['a'] } },
      'it cannot choose among them',
    ],
    ['a copy to nowhere', { mode: 'copy' }, 'copy needs a topic to write to'],
    ['another topic for what writes none', { toTopic: 'b' }, 'reprocess writes to no other topic'],
  ])('%s', async (_, request, message) => {
    await expect(plan(request)).rejects.toMatchObject({
      code: 'USAGE',
      message:
        typeof message === 'string' ? expect.stringMatching(new RegExp(message, 'i')) : expect.stringMatching(message),
    })
  })

  test('a mode that needs a group, a position of none', async () => {
    await using groupless = await openReplayFrame(bench)
    const of = (request: PlanRequest) => makePlan(groupless.context, request)
    await expect(of({ mode: 'redeliver' })).rejects.toThrow('redeliver needs a group')
    await expect(of({ mode: 'copy', toTopic: 'b' })).rejects.toThrow('of which topic?')
    const request: PlanRequest = { mode: 'copy', toTopic: 'b', topics: ['orders'], to: { at: 'group' } }
    await expect(of(request)).rejects.toThrow('where which group stands?')
  })
})

test('what retention has deleted is counted and named; what the inbox lacks is told apart by its age', async () => {
  await using own = await openTestBench(group, countTable, 1)
  await using ownFrame = await openReplayFrame(own, tallyConsumer(group))
  const { kafka, namespace } = own.sandbox
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const old = Date.now() - 10 * weekMs
  const messages = orders(10).map(({ data }, index) => {
    const { orderId: key } = data
    const about = { id: newEventId(), type: 'OrderPlaced', source: '/test', time: Date.now() } as const
    const headers = toHeaders({ ...about, subject: key, correlationId: key })
    const timestamp = String(index < 6 ? old + index : Date.now())
    return { key, value: own.codec.encode('OrderPlaced', data), headers, timestamp, partition: laneOf(key, 1) }
  })
  await producer.send({ topic: `${namespace}orders`, messages })
  await producer.disconnect()
  await own.replica(tallyConsumer(group))
  await own.settled(['orders'])
  const made = (request: Partial<PlanRequest> = {}) => makePlan(ownFrame.context, { mode: 'redeliver', ...request })
  expect((await made()).partitions).toMatchObject([{ handled: 10, known: 10, forgotten: 0, firstTime: old }])

  // The inbox lacks two old ones and a new one: the latter was never taken
  const ids = [messages[1]!, messages[5]!, messages[9]!].map(({ headers }) => headers['ce_id'])
  await own.pool.query('delete from inbox where event_id = any($1::uuid[])', [ids])
  expect((await made()).partitions).toMatchObject([{ handled: 10, known: 7, forgotten: 2 }])

  await withAdmin(kafka, async (admin) => {
    await admin.fetchTopicOffsets(`${namespace}orders`) // kafkajs deletes in topics it has heard of only
    await admin.deleteTopicRecords({ topic: `${namespace}orders`, partitions: [{ partition: 0, offset: '4' }] })
  })
  const lost = { low: 4, from: 4, to: 10, scanned: 6, handled: 6, known: 4, forgotten: 1 }
  expect((await made()).partitions).toMatchObject([{ ...lost, lost: 0 }])
  expect((await made({ from: { at: 'offset', offset: 1 } })).partitions).toMatchObject([{ ...lost, lost: 3 }])
  await expect(made({ from: { at: 'offset', offset: 0 }, to: { at: 'offset', offset: 3 } })).rejects.toThrow(
    'retention has deleted all of it: 3 offsets',
  )
})

const bytesOf = ({ key, value, headers }: KafkaMessage): number =>
  (key?.length ?? 0) +
  (value?.length ?? 0) +
  Object.entries(headers ?? {}).reduce((bytes, [name, text]) => bytes + name.length + (text as Buffer).length, 0)
