import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { inTransaction } from '../../../infra/postgres/transaction.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { eventsOf } from '../../outbox/outbox-batch.ts'
import type { OutboxEvent } from '../../outbox/outbox-batch.ts'
import { readEvents } from '../../outbox/testing/stored-events.ts'
import { CustomerKeys } from '../../../infra/security/customer-keys/customer-keys.ts'
import { ordersSchema } from '../migrations.ts'
import { claimKeys } from './idempotency.ts'
import { ensureLanes } from '../../outbox/lane-generations.ts'
import { createOrderBook } from './order-book.ts'
import type { Entry } from './order-book.ts'
import { createOrdersBench, partitions } from '../testing/orders-bench.ts'
import type { OrdersBench } from '../testing/orders-bench.ts'

const generation = { number: 1, partitions }
const readGeneration = async () => generation

let bench: OrdersBench
beforeAll(async () => {
  bench = await createOrdersBench()
  await ensureLanes(bench.pool, generation)
})
afterAll(() => bench[Symbol.asyncDispose]())

const keyOfLane = (lane: number): string => {
  for (;;) {
    const key = `o-${newEventId()}`
    if (laneOf(key, partitions) === lane) return key
  }
}

const entry = (lane: number, overrides: Partial<Entry['event']> = {}): Entry => {
  const eventId = newEventId()
  const key = keyOfLane(lane)
  const event = { eventId, topic: 'orders', key, headers: { ce_id: eventId }, value: Buffer.from('x'), ...overrides }
  return { event, reply: { status: 202, body: { eventId } } }
}

function setUp() {
  const committed: OutboxEvent[] = []
  const log = bench.sandbox.log.child({}, { level: 'silent' })
  const book = createOrderBook({
    ...{
      pool: bench.pool,
      log,
      keys: new CustomerKeys(ordersSchema(bench.sandbox.namespace)),
      generation,
      readGeneration,
    },
    onCommit: (batches) => void committed.push(...batches.flatMap(eventsOf)),
  })
  return { book, committed }
}

describe('the order book', () => {
  test('an entry the database refuses fails alone', async () => {
    const { book, committed } = setUp()
    const idempotency = { key: 'not storable \0', fingerprint: Buffer.from('same') }
    const bad = { ...entry(1), idempotency }
    const entries = [entry(0), entry(1), bad, entry(1), entry(2)]
    const replies = await Promise.all(entries.map((one) => book.write(one)))
    expect(replies.map(({ status }) => status)).toEqual([202, 202, 500, 202, 202])
    expect(committed.map(({ eventId }) => eventId)).toEqual(
      entries.filter((one) => one !== bad).map(({ event }) => event.eventId),
    )
  })

  test('an entry whose key was erased after it was sealed is refused alone, and tried again it gets another key', async () => {
    const { pool, sandbox } = bench
    const keys = new CustomerKeys(ordersSchema(sandbox.namespace))
    const [gone, kept] = [...(await keys.find(pool, ['c-gone', 'c-kept'])).values()]
    await pool.query(`update customer_key set key = null, erased_at = now() where id = $1`, [gone?.id])
    const log = sandbox.log.child({}, { level: 'silent' })
    const book = createOrderBook({ pool, log, keys, generation, readGeneration, onCommit: () => {} })
    const entries = [gone, kept, undefined].map((key, lane) => ({ ...entry(lane), ...(key && { key }) }))
    const replies = await Promise.all(entries.map((one) => book.write(one).catch((error: unknown) => error)))
    expect(replies).toMatchObject([{ code: 'BUSY', retryable: true }, { status: 202 }, { status: 202 }])
    expect((await keys.find(pool, ['c-gone'])).get('c-gone')?.id).toBeGreaterThan(gone?.id ?? Infinity)
  })

  test('hands over each lane’s events in the order of their numbers', async () => {
    const { book, committed } = setUp()
    await Promise.all(Array.from({ length: 60 }, (_, i) => book.write(entry(i % partitions))))
    for (let lane = 0; lane < partitions; lane++) {
      const numbers = committed.filter((row) => row.lane === lane).map(({ seq }) => seq)
      expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index))
      expect(numbers).toHaveLength(20)
    }
  })

  test('numbers events without a gap, however many replicas write at once', async () => {
    const books = Array.from({ length: 4 }, () => setUp().book)
    const statuses = await Promise.all(
      books.map(async (book) => {
        const given = new Set<number>()
        for (let i = 0; i < 50; i++) given.add((await book.write(entry(i % partitions))).status)
        return [...given]
      }),
    )
    expect(statuses).toEqual(books.map(() => [202]))
    const lanes = Map.groupBy(await readEvents(bench.pool), ({ lane }) => lane)
    expect(lanes.size).toBe(partitions)
    for (const own of lanes.values()) expect(own.map(({ seq }) => seq)).toEqual(own.map((_, index) => index + 1))
  })

  test('a cancellation that comes too late is stored for none of its repeats in the same group', async () => {
    const { book, committed } = setUp()
    const { event } = entry(0)
    const request = (key: string): Entry => ({
      ...{ event: { ...event, eventId: newEventId() }, cancellation: { orderId: event.key, before: 0 } },
      ...{ idempotency: { key, fingerprint: Buffer.from('same') }, reply: { status: 202, body: {} } },
    })
    const warm = book.write(entry(1)) // The others gather behind it
    const keys = ['in-time', 'late', 'late', 'in-time'].map((key) => `${key} ${event.key}`)
    const replies = await Promise.all(keys.map((key) => book.write(request(key))))
    await warm
    expect(replies.map(({ status }) => status)).toEqual([202, 409, 409, 202])
    expect(committed.filter(({ key }) => key === event.key)).toHaveLength(1)
  })

  test('gives one reply per key, however many replicas take the same keys at once', async () => {
    const books = Array.from({ length: 4 }, () => setUp().book)
    const keyed = (i: number): Entry => ({
      ...entry(i % partitions),
      idempotency: { key: `many-${i}`, fingerprint: Buffer.from('same') },
    })
    const replies = await Promise.all(
      books.flatMap((book) => Array.from({ length: 100 }, (_, i) => book.write(keyed(i)))),
    )
    expect(replies.filter(({ status }) => status !== 202)).toEqual([])
    expect(new Set(replies.map(({ body }) => JSON.stringify(body))).size).toBe(100)
  })

  test('takes keys in one order, so that replicas never wait for each other in a circle', async () => {
    const { pool } = bench
    const take = (...keys: string[]) =>
      inTransaction(pool, (tx) =>
        claimKeys(
          tx,
          keys.map((key) => ({ key, fingerprint: Buffer.from('same'), reply: { status: 202 } })),
        ),
      )
    const blocked = (count: number) =>
      waitUntil(`${count} waiting`, async () => {
        const { rows } = await bench.sandbox.pool.query<{ waiting: number }>(
          `select count(*) as waiting from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'`,
          [bench.sandbox.namespace],
        )
        return rows[0]?.waiting === count
      })
    // Both stop at the key in the middle; unsorted, each would by then hold what the other needs next
    const middle = await pool.connect()
    await middle.query('begin')
    await claimKeys(middle, [{ key: 'm', fingerprint: Buffer.from('x'), reply: { status: 202 } }])
    const first = take('a', 'm', 'z')
    await blocked(1)
    const second = take('z', 'm', 'a')
    await blocked(2)
    await middle.query('rollback')
    middle.release()
    expect((await Promise.all([first, second])).map((holders) => [...holders.keys()].sort())).toEqual([
      ['a', 'm', 'z'],
      ['a', 'm', 'z'],
    ])
  })

  test('refuses a database whose orders are spread over another number of partitions', async () => {
    await expect(ensureLanes(bench.pool, { number: 1, partitions: partitions + 1 })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })
})
