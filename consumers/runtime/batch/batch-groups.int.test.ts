import { expect, test } from '@jest/globals'
import { countEvents, eventsOf } from '../../../producers/outbox/outbox-batch.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { inTransaction } from '../../../infra/postgres/transaction.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { BatchGroups } from './batch-groups.ts'
import { defineConsumer } from '../handler.ts'
import { lockLane, raiseEpoch } from '../../../producers/outbox/lane-table.ts'
import { openLedger } from '../tables/ledger.ts'
import { FailureBreaker } from './failure-breaker.ts'
import { readRecords } from './read-records.ts'
import { counts, ledgerSums } from '../testing/observe.ts'
import { countTable, orders, tallyConsumer } from '../testing/tally-consumer.ts'
import type { Count } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'
import type { TestBench } from '../testing/test-bench.ts'
import type { Ownership } from '../model.ts'

const lanes = 3
const open = () =>
  openTestBench('tester', `${countTable}; create table sold (sku text primary key, orders integer)`, lanes)

interface Sold {
  orders: number
}

/**
 * Counts orders, as `tallyConsumer` does, and those of each article.
 * @param seconds that each of its transactions takes
 */
function soldConsumer(seconds = 0) {
  const { handlers, ...rest } = tallyConsumer('tester')
  return defineConsumer<Count, Sold>({
    ...rest,
    calls: {},
    timers: {},
    shared: {
      ids: () => ['A'],
      async lock(tx: Tx, ids) {
        if (seconds > 0) await tx.query('select pg_sleep($1)', [seconds])
        const text = 'select sku, orders from sold where sku = any($1) order by sku for update'
        const { rows } = await tx.query<Sold & { sku: string }>(text, [ids])
        return new Map(rows.map(({ sku, orders }) => [sku, { orders }]))
      },
      async save(tx: Tx, rows) {
        const text =
          'insert into sold select * from unnest($1::text[], $2::int[]) on conflict (sku) do update set orders = excluded.orders'
        await tx.query(text, [[...rows.keys()], [...rows.values()].map((row) => row.orders)])
      },
    },
    handlers: {
      OrderPlaced: (order, state, context, shared) => ({
        ...handlers.OrderPlaced?.(order, state, context, new Map<string, never>()),
        shared: new Map([['A', { orders: (shared.get('A')?.orders ?? 0) + 1 }]]),
      }),
    },
  })
}

/** Owns all lanes. `process` hands a batch of each over at once: the next orders of its topic. */
async function ownLanes(
  { pool, codec, config }: TestBench,
  {
    through = pool,
    definition = soldConsumer(),
  }: { through?: Pool; definition?: ReturnType<typeof soldConsumer> } = {},
) {
  const owns: Ownership[] = []
  for (let lane = 0; lane < lanes; lane++) {
    const own = { lane, epoch: await raiseEpoch(pool, lane, 'replica') }
    await openLedger(pool, own, [{ topic: 'orders', low: 0 }])
    owns.push(own)
  }
  const breaker = new FailureBreaker()
  const context = {
    definition,
    pool: through,
    codec,
    breaker,
    policy: config.failure,
    owner: 'replica',
  }
  const groups = new BatchGroups({ ...context, generation: 1 })
  const next = owns.map(() => 0)
  const batchOf = async (lane: number, placed: ReturnType<typeof orders>) => {
    const from = next[lane] ?? 0
    const to = (next[lane] = from + placed.length)
    const messages = placed.map(({ type, data }, index) => ({
      key: Buffer.from(data.orderId),
      value: codec.encode(type, data),
      headers: {},
      timestamp: String(Date.now()),
      attributes: 0,
      offset: String(from + index),
    }))
    const handled = new Set(['OrderPlaced'] as const)
    return readRecords(messages, from, to, {
      codec,
      handled,
      partitions: lanes,
      topic: 'orders',
      partition: lane,
    })
  }
  return {
    owns,
    async process(placed: ReturnType<typeof orders>) {
      const byLane = Map.groupBy(placed, ({ data }) => laneOf(data.orderId, lanes))
      const work = await Promise.all(
        owns.map(async (own) => ({ own, batch: await batchOf(own.lane, byLane.get(own.lane) ?? []) })),
      )
      return work.map((each) => groups.process(each))
    },
  }
}

/** @param counts by lane */
function ordersOfEachLane(counts: readonly number[], customerId?: string) {
  const byLane = Map.groupBy(orders(200, customerId), ({ data }) => laneOf(data.orderId, lanes))
  return counts.flatMap((count, lane) => byLane.get(lane)?.slice(0, count) ?? [])
}

const commits = async ({ pool }: TestBench) => (await pool.query('select distinct xmin::text from ledger')).rowCount

test('batches of several lanes take effect in one transaction, and each sees what the others did to shared rows', async () => {
  await using bench = await open()
  const { process } = await ownLanes(bench)
  const placed = orders(60)
  const taken = await Promise.all(await process(placed))
  expect(taken.reduce((sum, each) => sum + each.taken, 0)).toBe(60)
  expect(await commits(bench)).toBe(1)
  expect((await counts(bench)).size).toBe(60)
  expect((await bench.pool.query('select * from sold')).rows).toEqual([{ sku: 'A', orders: 60 }])
  for (const [lane, { publish }] of taken.entries()) {
    expect(publish.length).toBeGreaterThan(0)
    const events = publish.flatMap(eventsOf)
    expect(events.map((event) => [event.lane, event.seq])).toEqual(events.map((_, index) => [lane, index + 1]))
  }
  const next = await bench.pool.query<{ next_seq: number }>('select next_seq from lane order by lane')
  expect(next.rows.map((row) => row.next_seq - 1)).toEqual(taken.map(({ publish }) => countEvents(publish)))
})

test('what the database refuses fails its own lane only', async () => {
  await using bench = await open()
  const { process } = await ownLanes(bench)
  const [refused] = orders(1, 'refused')
  const settled = await Promise.allSettled(await process([...orders(60), refused!]))
  const lane = laneOf(refused!.data.orderId, lanes)
  expect(settled.map(({ status }) => status === 'rejected')).toEqual([0, 1, 2].map((each) => each === lane))
  expect(settled[lane]).toMatchObject({ reason: { constraint: 'count_placed_check' } })
})

test('what cannot be handled is parked in its lane, and nothing else', async () => {
  await using bench = await open()
  const { process } = await ownLanes(bench)
  const [bad] = orders(1, 'throws')
  await Promise.all(await process([...orders(60), bad!]))
  expect(await commits(bench)).toBe(1)
  expect((await bench.pool.query('select lane, key from parked')).rows).toEqual([
    { lane: laneOf(bad!.data.orderId, lanes), key: bad!.data.orderId },
  ])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 60, parked: 1, offsets: 61 })
})

test('a lane with a newer owner is refused, the others are not', async () => {
  await using bench = await open()
  const { process } = await ownLanes(bench)
  await raiseEpoch(bench.pool, 1, 'other')
  const settled = await Promise.allSettled(await process(orders(60)))
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(settled[1]).toMatchObject({ reason: { code: 'FENCED' } })
})

test('a lane whose row is locked waits alone', async () => {
  await using bench = await open()
  const { process, owns } = await ownLanes(bench)
  const held = Promise.withResolvers<void>()
  const locked = Promise.withResolvers<void>()
  const person = inTransaction(bench.pool, async (tx) => {
    await lockLane(tx, owns[1]!)
    locked.resolve()
    await held.promise
  })
  await locked.promise
  const [first, waiting, third] = await process(orders(60))
  await Promise.all([first, third])
  const ends: string[] = []
  void waiting!.then(() => ends.push('waiting'))
  await waitUntil('it waits', async () => {
    const { rowCount } = await bench.sandbox.pool.query(
      `select from pg_stat_activity where application_name like $1 and wait_event_type = 'Lock'`,
      [`test ${bench.sandbox.namespace}%`],
    )
    return rowCount === 1
  })
  expect(ends).toEqual([])
  held.resolve()
  await Promise.all([person, waiting])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 60 })
})

test('whether a lost commit took effect is left to the lanes to find out', async () => {
  await using bench = await open()
  const lossy = Object.assign(Object.create(bench.pool) as Pool, {
    async connect() {
      const client = await bench.pool.connect()
      const query = async (...args: unknown[]) => {
        const result = await (client.query as (...all: unknown[]) => Promise<unknown>)(...args)
        if (args[0] === 'commit') throw new Error('Connection terminated unexpectedly')
        return result
      }
      return Object.assign(Object.create(client) as typeof client, { query, release: () => client.release(true) })
    },
  })
  const { process } = await ownLanes(bench, { through: lossy })
  const settled = await Promise.allSettled(await process(orders(60)))
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  for (const each of settled) expect(each).toMatchObject({ reason: { message: 'Connection terminated unexpectedly' } })
  expect(await ledgerSums(bench)).toMatchObject({ taken: 60, duplicates: 0 })
})

test('a group that took too long is followed by smaller ones', async () => {
  await using bench = await open()
  const { process } = await ownLanes(bench, { definition: soldConsumer(1.1) })
  await Promise.all(await process(ordersOfEachLane([10, 10, 10])))
  expect(await commits(bench)).toBe(1)
  await Promise.all(await process(ordersOfEachLane([10, 10, 10]))) // At most 15 are enough now: two lanes, and one
  expect(await commits(bench)).toBe(2)
  expect(await ledgerSums(bench)).toMatchObject({ taken: 60 })
})

test('a lane in which most fail in one way parks nothing, whatever the others park', async () => {
  await using bench = await open()
  const { process } = await ownLanes(bench)
  const settled = await Promise.allSettled(await process(ordersOfEachLane([5, 25, 5], 'throws')))
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(settled[1]).toMatchObject({ reason: { code: 'FAILING' } })
  const { rows } = await bench.pool.query(
    'select lane, count(*)::int as parked from parked group by lane order by lane',
  )
  expect(rows).toEqual([
    { lane: 0, parked: 5 },
    { lane: 2, parked: 5 },
  ])
})
