import { expect, test } from '@jest/globals'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { inTransaction } from '../../../infra/postgres/transaction.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { pauseLanes, resumeLanes } from '../tables/pause-table.ts'
import { counts, ledgerSums, published } from '../testing/observe.ts'
import { countTable, orderPlaced, orders, tallyConsumer } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'
import type { TestBench } from '../testing/test-bench.ts'

const group = 'tester'
const open = (settings: Record<string, string> = {}, partitions = 3) =>
  openTestBench(group, countTable, partitions, settings)

const pause = ({ pool }: TestBench, ...lanes: number[]) =>
  inTransaction(pool, (tx) => pauseLanes(tx, lanes, 'the gateway is being moved', 'ann'))
const resume = ({ pool }: TestBench, ...lanes: number[]) => inTransaction(pool, (tx) => resumeLanes(tx, lanes))

const standing = async ({ pool }: TestBench) => {
  const { rows } = await pool.query<{ lane: number; phase: string; reason: string | null }>(
    'select lane, phase, reason from lane_state order by lane',
  )
  return rows
}
const paused = (bench: TestBench, ...lanes: number[]) =>
  waitUntil(
    `lanes ${lanes.join(', ')} stand still`,
    async () =>
      (await standing(bench)).filter(({ lane, phase }) => lanes.includes(lane) && phase === 'paused').length ===
      lanes.length,
    { withinMs: 5_000 },
  )

/** A pool that counts prepared statements by name, also those in transactions. */
function counting(pool: Pool, used: Record<string, number>): Pool {
  const counted = <T extends object>(target: T, query: (...args: unknown[]) => unknown): T =>
    Object.assign(Object.create(target) as T, {
      query: (...args: unknown[]) => {
        const { name = '' } = args[0] as { name?: string }
        if (name in used) used[name] = (used[name] ?? 0) + 1
        return Reflect.apply(query, target, args)
      },
    })
  return Object.assign(counted(pool, pool.query), {
    connect: async () => {
      const client = await pool.connect()
      return counted(client, client.query)
    },
  }) as Pool
}

/** Numbers of processed offsets, by lane. */
const taken = async ({ pool }: TestBench) => {
  const { rows } = await pool.query<{ partition: number; offsets: number }>(
    'select partition, sum(next_offset - first_offset)::int as offsets from ledger group by partition',
  )
  return new Map(rows.map(({ partition, offsets }) => [partition, offsets]))
}

/** Orders of one lane, under new ids. */
function ordersOf(lane: number, count: number, customerId?: string) {
  const ids = []
  while (ids.length < count) {
    const id = newEventId()
    if (laneOf(id, 3) === lane) ids.push(id)
  }
  return ids.map((id) => orderPlaced(id, customerId))
}

test('a paused lane processes only answers to its calls; other lanes continue', async () => {
  await using bench = await open()
  const answer = Promise.withResolvers<object>()
  let asked = 0
  await bench.replica(tallyConsumer(group, () => (asked++, answer.promise)))
  const [asking] = ordersOf(0, 1, 'asks')
  await bench.publish([asking!])
  await waitUntil('the call is in progress', () => asked === 1)

  await pause(bench, 0, 1)
  await paused(bench, 0, 1)
  await bench.publish([0, 1, 2].flatMap((lane) => ordersOf(lane, 10)))
  answer.resolve({})
  await waitUntil(
    'the answer is processed',
    async () => (await counts(bench)).get(asking!.data.orderId)?.answered === 1,
  )
  await waitUntil('the other lane is read to its end', async () => (await taken(bench)).get(2) === 10)
  expect(await taken(bench)).toEqual(
    new Map([
      [0, 1],
      [1, 0],
      [2, 10],
    ]),
  )
  expect(await standing(bench)).toEqual([
    { lane: 0, phase: 'paused', reason: 'the gateway is being moved' },
    { lane: 1, phase: 'paused', reason: 'the gateway is being moved' },
    { lane: 2, phase: 'live', reason: null },
  ])

  expect(await resume(bench, 0, 1)).toEqual([0, 1])
  await bench.settled(['orders'])
  expect([...(await counts(bench)).values()].map(({ placed }) => placed)).toEqual(Array(31).fill(1))
  expect(await ledgerSums(bench)).toMatchObject({ taken: 31, duplicates: 0, parked: 0, offsets: 31 })
})

test('a replica started while its lanes are paused processes nothing of a lane until it is resumed', async () => {
  await using bench = await open()
  await pause(bench, 0, 1, 2)
  await bench.publish([0, 1, 2].flatMap((lane) => ordersOf(lane, 5)))
  await bench.replica(tallyConsumer(group))
  await paused(bench, 0, 1, 2)
  await resume(bench, 1)
  await waitUntil('the resumed lane is read to its end', async () => (await taken(bench)).get(1) === 5)
  expect(await ledgerSums(bench)).toMatchObject({ taken: 5, offsets: 5 })
  await resume(bench, 0, 2)
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 15, duplicates: 0, offsets: 15 })
})

test('a pause under load outlives its owner, and reading resumes exactly at its position', async () => {
  await using bench = await open()
  const first = await bench.replica(tallyConsumer(group))
  const placed = orders(200)
  const publishing = bench.publish(placed)
  await waitUntil('some are processed', async () => (await counts(bench)).size > 20)
  await pause(bench, 0, 1, 2)
  await paused(bench, 0, 1, 2)
  const stood = await taken(bench)
  await publishing
  await first.stop()
  await bench.replica(tallyConsumer(group))
  await waitUntil('the next owner has claimed the lanes', async () => {
    const { rows } = await bench.pool.query(`select from lane_state where epoch > 1 and phase = 'paused'`)
    return rows.length === 3
  })
  expect(await taken(bench)).toEqual(stood)

  await resume(bench, 0, 1, 2)
  await bench.settled(['orders'])
  expect([...(await counts(bench)).values()].map((count) => count.placed)).toEqual(placed.map(() => 1))
  expect(await ledgerSums(bench)).toMatchObject({ taken: 200, duplicates: 0, parked: 0, offsets: 200 })
  expect(new Set(await published(bench, 'inventory')).size).toBe(200)
})

test('a parked event is not retried while its lane is paused', async () => {
  await using bench = await open({ TALLY_RETRY_FIRST_MS: '1', TALLY_RETRY_LIMIT: '100' })
  const attempts = new Map<string, number>()
  const attemptsOf = (order: { data: { orderId: string } }) => attempts.get(order.data.orderId) ?? 0
  const definition = tallyConsumer(group)
  const handle = definition.handlers.OrderPlaced!
  await bench.replica({
    ...definition,
    handlers: {
      OrderPlaced: (order, ...rest) => {
        attempts.set(order.orderId, (attempts.get(order.orderId) ?? 0) + 1)
        return handle(order, ...rest)
      },
    },
  })
  const [[waiting], [witness]] = [ordersOf(0, 1, 'throws'), ordersOf(1, 1, 'throws')]
  await bench.publish([waiting!])
  await waitUntil('it is retried', () => attemptsOf(waiting!) > 1)
  await pause(bench, 0)
  await paused(bench, 0)
  const before = attemptsOf(waiting!)
  await bench.pool.query('update parked set next_attempt_at = now()')
  await bench.publish([witness!])
  await waitUntil('one of another lane is retried', () => attemptsOf(witness!) > 2)
  expect(attemptsOf(waiting!)).toBe(before)
  await resume(bench, 0)
  await waitUntil('it is retried', () => attemptsOf(waiting!) > before)
})

test('a lane at its parking limit reports it and resumes when there is room', async () => {
  await using bench = await open({ TALLY_PARKED_LIMIT: '3', TALLY_RETRY_LIMIT: '0' }, 1)
  const used = { parked_add: 0, parked_count: 0 }
  await bench.replica(tallyConsumer(group), 'full', { pool: counting(bench.pool, used) })
  await bench.publish([...orders(5, 'throws'), ...orders(10)])
  const lane = await waitUntil('the lane waits', async () =>
    (await standing(bench)).find(({ phase }) => phase === 'waiting'),
  )
  expect(lane.reason).toContain('3 events of lane 0 are parked already')
  const parked = async () => (await bench.pool.query('select from parked')).rowCount
  expect(await parked()).toBe(3)
  const before = { ...used }
  await waitUntil('it has looked for room twice', async () => used.parked_count >= before.parked_count + 2)
  expect(used.parked_add).toBe(before.parked_add) // Nothing is written only to be taken back
  await bench.pool.query('delete from parked')
  await bench.settled(['orders'])
  expect(await parked()).toBe(2)
  expect(await ledgerSums(bench)).toMatchObject({ taken: 10, parked: 5, offsets: 15 })
  await waitUntil('the lane is live', async () => (await standing(bench)).every(({ phase }) => phase === 'live'))
})

test('a service that fails at everything in one way parks few, waits, and resumes when it is fixed', async () => {
  await using bench = await open({ TALLY_RETRY_LIMIT: '100' })
  let broken = true
  const definition = tallyConsumer(group)
  const handle = definition.handlers.OrderPlaced!
  const placed = orders(300)
  await bench.publish(placed)
  await bench.replica({
    ...definition,
    handlers: {
      OrderPlaced: (order, ...rest) => handle(broken ? { ...order, customerId: 'throws' } : order, ...rest),
    },
  })
  const waiting = await waitUntil('the lanes wait', async () => {
    const lanes = await standing(bench)
    return lanes.length === 3 && lanes.every(({ phase }) => phase === 'waiting') ? lanes : undefined
  })
  expect(waiting[0]?.reason).toContain('this order cannot be handled')
  expect((await bench.pool.query('select from parked')).rowCount).toBeLessThanOrEqual(36)
  broken = false
  await bench.settled(['orders'])
  await waitUntil('nothing is parked', async () => (await bench.pool.query('select from parked')).rowCount === 0)
  expect([...(await counts(bench)).values()].map((count) => count.placed)).toEqual(placed.map(() => 1))
})
