import { expect, test } from '@jest/globals'
import { inTransaction } from '../../infra/postgres.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { newEventId } from '../../schemas/event-id.ts'
import { openLedger, raiseEpoch } from './ledger.ts'
import { takeBatch } from './take-batch.ts'
import { countTable, orderPlaced, tallyConsumer } from './testing/tally-consumer.ts'
import type { Ask } from './testing/tally-consumer.ts'
import { openTestBench } from './testing/test-bench.ts'
import type { TestBench } from './testing/test-bench.ts'

const group = 'tester'
const open = () => openTestBench(group, countTable)
const orders = (count: number, customerId?: string) =>
  Array.from({ length: count }, () => orderPlaced(newEventId(), customerId))

const counts = async ({ pool }: TestBench) => {
  const { rows } = await pool.query<{ key: string; placed: number; answered: number; fired: number }>(
    'select * from count',
  )
  return new Map(rows.map((row) => [row.key, row]))
}
const ledgerSums = async ({ pool }: TestBench) =>
  (
    await pool.query<{ taken: number; duplicates: number; ignored: number; parked: number; offsets: number }>(
      `select sum(taken)::int as taken, sum(duplicates)::int as duplicates, sum(ignored)::int as ignored,
         sum(parked)::int as parked, sum(next_offset - first_offset)::int as offsets from ledger`,
    )
  ).rows[0]

test('every event takes effect once and what it leads to is published', async () => {
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
  expect([...(await counts(bench)).values()].map(({ placed }) => placed)).toEqual(Array(22).fill(1))
  expect(await ledgerSums(bench)).toMatchObject({ taken: 22, duplicates: 22 })
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
  expect(rows.map(({ key, reason }) => `${key} ${reason}`)).toEqual(
    [
      'o-bad HANDLER_FAILED',
      'o-bad BEHIND',
      'o-garbage UNREADABLE',
      'o-refused REFUSED_BY_DATABASE',
      'o-tombstone UNREADABLE',
      'orders/1/0 UNREADABLE',
    ].map((line) => (line.startsWith('orders/') ? expect.stringMatching(/^orders\/\d\/\d+ UNREADABLE$/) : line)),
  )
  expect((await counts(bench)).size).toBe(30)
  expect(await ledgerSums(bench)).toMatchObject({ taken: 30, parked: 6 })
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

test('a call without a definite answer is made again with the same key; its answer counts once', async () => {
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
  await waitUntil('the answer is taken', async () => (await counts(bench)).get('o-asks')?.answered === 1)
  expect(keys.length).toBeGreaterThanOrEqual(3)
  expect(new Set(keys).size).toBe(1)
})

test('a timer that has come fires once', async () => {
  await using bench = await open()
  await bench.publish([orderPlaced('o-waits', 'waits')])
  await bench.replica(tallyConsumer(group))
  await waitUntil('the timer fired', async () => (await counts(bench)).get('o-waits')?.fired === 1)
  expect((await bench.pool.query('select 1 from timer')).rowCount).toBe(0)
})

test('an owner with an older epoch is refused', async () => {
  await using bench = await open()
  const own = { lane: 0, epoch: await raiseEpoch(bench.pool, 0, 'first') }
  await openLedger(bench.pool, own, [{ topic: 'orders', low: 0 }])
  await raiseEpoch(bench.pool, 0, 'second')
  const take = takeBatch({ definition: tallyConsumer(group), pool: bench.pool, codec: bench.codec }, own, {
    source: 'record',
    inputs: [],
    move: { topic: 'orders', from: 0, to: 1, ignored: 1, holes: 0 },
  })
  await expect(take).rejects.toMatchObject({ code: 'FENCED' })
  await expect(raiseEpoch(bench.pool, 0, 'first', own.epoch)).rejects.toMatchObject({ code: 'FENCED' })
})

test('what an owner committed but did not publish or call, the next one does', async () => {
  await using bench = await open()
  const { data } = orderPlaced('o-left', 'asks')
  await bench.publish([{ type: 'OrderPlaced', data }])
  // A replica that is killed between commit and publishing leaves just this: rows in outbox and call
  const first = await bench.replica(tallyConsumer(group, () => Promise.reject(new Error('down'))))
  await waitUntil('the call waits', async () => (await bench.pool.query('select 1 from call')).rowCount === 1)
  await first.stop()
  await inTransaction(bench.pool, async (tx) => {
    const { rows } = await tx.query<{ lane: number; next_seq: number }>(
      'select lane, next_seq from lane where next_seq > 1',
    )
    const [{ lane, next_seq: seq } = { lane: 0, next_seq: 0 }] = rows
    const value = bench.codec.encode('StockReleased', {
      orderId: data.orderId,
      lines: [{ sku: 'A', quantity: 1 }],
      releasedAt: Date.now(),
    })
    await tx.query(`insert into outbox values ($1, $2, $3, 'inventory', $4, '{}', $5)`, [
      lane,
      seq,
      newEventId(),
      data.orderId,
      value,
    ])
    await tx.query('update lane set next_seq = next_seq + 1 where lane = $1', [lane])
  })
  await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  expect((await counts(bench)).get('o-left')).toMatchObject({ placed: 1, answered: 1 })
  expect(await published(bench, 'inventory')).toHaveLength(3)
})

test('replicas come and go while events flow: each takes effect once', async () => {
  await using bench = await open()
  const placed = orders(600)
  const publishing = bench.publish(placed)
  const first = await bench.replica(tallyConsumer(group), 'one')
  const second = await bench.replica(tallyConsumer(group), 'two')
  await waitUntil('both own lanes', async () => {
    const { rows } = await bench.pool.query<{ owners: number }>('select count(distinct owner)::int as owners from lane')
    return rows[0]?.owners === 2
  })
  await first.stop()
  await bench.replica(tallyConsumer(group), 'three')
  await second.stop()
  await publishing
  await bench.settled(['orders'])
  const found = await counts(bench)
  expect(placed.filter(({ data }) => found.get(data.orderId)?.placed !== 1)).toEqual([])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 600, duplicates: 0, offsets: 600 })
  expect(new Set(await published(bench, 'inventory')).size).toBe(600)
})

test('connections cut by the database: the lanes take themselves over and go on', async () => {
  await using bench = await open()
  const placed = orders(300)
  const publishing = bench.publish(placed)
  await bench.replica(tallyConsumer(group))
  for (let cut = 0; cut < 5; cut++) {
    await waitUntil('a connection to cut', async () => {
      const { rowCount } = await bench.sandbox.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and state <> 'idle'`,
        [`test ${bench.sandbox.namespace}${group}`],
      )
      return rowCount
    })
  }
  await publishing
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 300, duplicates: 0, parked: 0, offsets: 300 })
  expect([...(await counts(bench)).values()].every(({ placed: times }) => times === 1)).toBe(true)
})

test('a group moved by hand in Kafka still reads on from its ledger', async () => {
  await using bench = await open()
  await bench.publish(orders(20))
  const first = await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  await first.stop()
  const admin = bench.sandbox.kafka.admin()
  await admin.connect()
  await admin.setOffsets({
    groupId: `${bench.sandbox.namespace}${group}`,
    topic: `${bench.sandbox.namespace}orders`,
    partitions: [0, 1, 2].map((partition) => ({ partition, offset: '0' })),
  })
  await admin.disconnect()
  await bench.publish(orders(10))
  await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 30, duplicates: 0, offsets: 30 })
})

test('a topic that was deleted and made anew stops its lanes', async () => {
  await using bench = await open()
  await bench.publish(orders(5))
  const first = await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  await first.stop()
  await bench.pool.query(`update ledger set topic_id = 'an id of another topic'`)
  await bench.publish(orders(5))
  await bench.replica(tallyConsumer(group))
  await waitUntil('lanes were claimed', async () => {
    const { rows } = await bench.pool.query<{ least: number }>('select min(epoch)::int as least from lane')
    return (rows[0]?.least ?? 0) >= 2
  })
  expect(await ledgerSums(bench)).toMatchObject({ taken: 5, offsets: 5 })
})

/** Ids of the events on a topic, from offset 0 to its end now. */
async function published({ sandbox: { kafka, namespace } }: TestBench, topic: string): Promise<string[]> {
  const admin = kafka.admin()
  const consumer = kafka.consumer({ groupId: `${namespace}reader-${crypto.randomUUID()}`, maxWaitTimeInMs: 50 })
  await Promise.all([admin.connect(), consumer.connect()])
  try {
    const ends = await admin.fetchTopicOffsets(`${namespace}${topic}`)
    const expected = ends.reduce((sum, { high }) => sum + Number(high), 0)
    const ids: string[] = []
    await consumer.subscribe({ topics: [`${namespace}${topic}`], fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message }) => void ids.push(String(message.headers?.['ce_id'])),
    })
    await waitUntil(`${expected} records of ${topic}`, () => ids.length >= expected)
    return ids
  } finally {
    await Promise.all([admin.disconnect(), consumer.disconnect()])
  }
}
