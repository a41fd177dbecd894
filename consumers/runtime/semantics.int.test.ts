import { randomBytes } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { toHeaders } from '../../schemas/envelope.ts'
import { newEventId } from '../../schemas/event-id.ts'
import { counts, ledgerSums, published } from './testing/observe.ts'
import { countTable, orderPlaced, orders, tallyConsumer } from './testing/tally-consumer.ts'
import type { Ask } from './testing/tally-consumer.ts'
import { openTestBench } from './testing/test-bench.ts'

const group = 'tester'
const open = () => openTestBench(group, countTable)

test('every event takes effect once and its events are published', async () => {
  await using bench = await open()
  const placed = orders(50)
  await bench.publish(placed)
  await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  const found = await counts(bench)
  expect(placed.map(({ data }) => found.get(data.orderId)?.placed)).toEqual(placed.map(() => 1))
  expect(await published(bench, 'inventory')).toHaveLength(50)
  expect(await ledgerSums(bench)).toMatchObject({ taken: 50, duplicates: 0, parked: 0, offsets: 50 })
})

test('the same event again, in another record, changes nothing', async () => {
  await using bench = await open()
  const twice = orders(20).map((event) => ({ ...event, id: newEventId() }))
  const random = { ...orderPlaced('o-random'), id: crypto.randomUUID() }
  const foreign = { ...orderPlaced('o-foreign'), id: 'INV/2026/0815' }
  await bench.publish([...twice, random, foreign, ...twice, random, foreign])
  await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  await bench.publish([...twice, random, foreign]) // In a later transaction, too
  await bench.settled(['orders'])
  expect([...(await counts(bench)).values()].map(({ placed }) => placed)).toEqual(Array(22).fill(1))
  expect(await ledgerSums(bench)).toMatchObject({ taken: 22, duplicates: 44 })
})

test('types without a handler only move the ledger', async () => {
  await using bench = await open()
  const { data } = orderPlaced('o-1')
  await bench.publish([
    {
      type: 'CancellationRequested',
      data: { orderId: data.orderId, reason: 'changed my mind', requestedAt: Date.now() },
    },
    orderPlaced('o-1'),
  ])
  await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 1, ignored: 1, offsets: 2 })
})

test('what cannot be handled is parked with its key; other keys flow on', async () => {
  await using bench = await open()
  const bad = orderPlaced('o-bad', 'throws')
  const behind = orderPlaced('o-bad')
  await bench.publishRaw('orders', { key: 'o-garbage', value: Buffer.from([0, 0, 0, 0, 99, 1, 2, 3]) })
  await bench.publishRaw('orders', { key: 'o-tombstone', value: null })
  await bench.publishRaw('orders', { key: null, value: Buffer.from('not framed') })
  await bench.publish([bad, behind, orderPlaced('o-refused', 'refused'), ...orders(30)])
  await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  const { rows } = await bench.pool.query<{ key: string; reason: string }>(
    'select key, reason from parked order by key, id',
  )
  const found = rows.map(({ key, reason }) => `${key} ${reason}`)
  expect(found.filter((line) => line.startsWith('o-'))).toEqual([
    'o-bad HANDLER_FAILED',
    'o-bad BEHIND',
    'o-garbage UNREADABLE',
    'o-refused REFUSED_BY_DATABASE',
    'o-tombstone UNREADABLE',
  ])
  expect(found).toContainEqual(expect.stringMatching(/^orders\/\d\/\d+ UNREADABLE$/)) // Without a key: known by its place
  expect((await counts(bench)).size).toBe(30)
  expect(await ledgerSums(bench)).toMatchObject({ taken: 30, parked: 6 })
})

test('what the database refuses only at the commit is neither published nor asked for', async () => {
  await using bench = await open()
  await bench.pool.query(`
    create function refuse() returns trigger language plpgsql as $$ begin raise 'not this one'; end $$;
    create constraint trigger late after insert on count deferrable initially deferred
      for each row when (new.key = 'o-late') execute function refuse()`)
  await bench.publish([...orders(20), orderPlaced('o-late', 'asks'), ...orders(20)])
  const asked: string[] = []
  await bench.replica(tallyConsumer(group, async ({ orderId }) => ({ asked: asked.push(orderId) })))
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 40, parked: 1 })
  expect(new Set(await published(bench, 'inventory')).size).toBe(40)
  expect(asked).toEqual([])
})

test('a record whose key no database takes is parked like any other', async () => {
  await using bench = await open()
  const incompressible = randomBytes(3_000).toString('base64')
  for (const key of ['nul \0 inside', incompressible])
    await bench.publishRaw('orders', { key, value: null, partition: 0 })
  const placed = orders(9)
  await bench.publish(placed)
  await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 9, parked: 2 })
})

test('an event that was unreadable can still come under its id', async () => {
  await using bench = await open()
  const event = { ...orderPlaced('o-mended'), id: newEventId() }
  const headers = toHeaders({
    id: event.id,
    type: 'OrderPlaced',
    source: '/test',
    time: Date.now(),
    subject: 'o-damaged',
    correlationId: 'o-damaged',
  })
  await bench.publishRaw('orders', { key: 'o-damaged', value: Buffer.from([0, 0]), headers })
  await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  await bench.publish([event])
  await bench.settled(['orders'])
  expect((await counts(bench)).get('o-mended')?.placed).toBe(1)
})

test('aborted transactions are passed over, however long', async () => {
  await using bench = await open()
  const { kafka, namespace } = bench.sandbox
  const producer = kafka.producer({ transactionalId: `${namespace}tx`, maxInFlightRequests: 1, idempotent: true })
  await producer.connect()
  const transaction = await producer.transaction()
  for (let part = 0; part < 4; part++) {
    await transaction.send({
      topic: `${namespace}orders`,
      messages: [{ key: 'k', value: randomBytes(200_000), partition: 0 }],
    })
  }
  await transaction.abort()
  await producer.disconnect()
  await bench.publish(orders(12))
  await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 12, parked: 0 })
})

test('an event in the lane of another key is parked, not handled by the wrong owner', async () => {
  await using bench = await open()
  const { data } = orderPlaced('o-misrouted')
  const value = bench.codec.encode('OrderPlaced', data)
  for (const partition of [0, 1, 2]) await bench.publishRaw('orders', { key: 'o-misrouted', value, partition })
  await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  const { rows } = await bench.pool.query('select reason from parked')
  expect(rows).toEqual([{ reason: 'MISROUTED' }, { reason: 'MISROUTED' }])
})

test('an event on a topic that is not of its type is parked and holds up no event of its key', async () => {
  await using bench = await open()
  const { data } = orderPlaced('o-elsewhere')
  const value = bench.codec.encode('OrderPlaced', data)
  await bench.publishRaw('payments', { key: 'o-elsewhere', value })
  const reading = tallyConsumer(group)
  const authorized = () => ({}) // Only to read its topic, too
  await bench.replica({ ...reading, handlers: { ...reading.handlers, PaymentAuthorized: authorized } })
  await bench.settled(['payments'])
  await bench.publish([orderPlaced('o-elsewhere')])
  await bench.settled(['orders', 'payments'])
  const { rows } = await bench.pool.query('select reason, error from parked')
  expect(rows).toEqual([{ reason: 'MISROUTED', error: 'OrderPlaced of o-elsewhere belongs to topic orders' }])
  expect(await counts(bench)).toEqual(new Map([['o-elsewhere', expect.objectContaining({ placed: 1 })]]))
})

test('a call without a definite answer is retried with the same key; its answer counts once', async () => {
  await using bench = await open()
  const keys: string[] = []
  const ask: Ask = async (_request, idempotencyKey) => {
    keys.push(idempotencyKey)
    if (keys.length < 3) throw new Error('no answer')
    return { ok: true }
  }
  await bench.publish([orderPlaced('o-asks', 'asks')])
  await bench.replica(tallyConsumer(group, ask))
  await bench.settled(['orders'])
  await waitUntil('the answer is processed', async () => (await counts(bench)).get('o-asks')?.answered === 1)
  expect(keys.length).toBeGreaterThanOrEqual(3)
  expect(new Set(keys).size).toBe(1)
})

test('a due timer fires once', async () => {
  await using bench = await open()
  await bench.publish([orderPlaced('o-waits', 'waits')])
  await bench.replica(tallyConsumer(group))
  await waitUntil('the timer fired', async () => (await counts(bench)).get('o-waits')?.fired === 1)
  expect((await bench.pool.query('select 1 from timer')).rowCount).toBe(0)
})
