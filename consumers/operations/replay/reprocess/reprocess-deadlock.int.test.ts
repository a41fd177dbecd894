import { expect, test } from '@jest/globals'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import { waitUntil } from '../../../../infra/testing/wait-until.ts'
import { newEventId } from '../../../../schemas/event-id.ts'
import { laneOf } from '../../../../schemas/partition.ts'
import type { ConsumerDefinition } from '../../../runtime/handler.ts'
import type { SharedTable } from '../../../runtime/state-table.ts'
import { counts, ledgerSums } from '../../../runtime/testing/observe.ts'
import { countTable, orderPlaced, tallyConsumer } from '../../../runtime/testing/tally-consumer.ts'
import type { Count } from '../../../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../../runtime/testing/test-bench.ts'
import { openReplayOf, rangesOf } from '../testing/replay-of.ts'
import { reprocess } from './reprocess.ts'

const group = 'tester'
const lanes = 2
const shelfTable = 'create table shelf (sku text primary key, sold integer not null)'

const shelf: SharedTable<number, Count> = {
  ids: (_type, data) => ('lines' in data ? (data.lines as { sku: string }[]).map(({ sku }) => sku) : []),
  async lock(tx, ids) {
    const { rows } = await tx.query<{ sku: string; sold: number }>(
      'select sku, sold from shelf where sku = any($1) order by sku for update',
      [ids],
    )
    return new Map(rows.map(({ sku, sold }) => [sku, sold]))
  },
  async save(tx, rows) {
    await tx.query('update shelf set sold = n from unnest($1::text[], $2::int[]) as new (id, n) where sku = id', [
      [...rows.keys()],
      [...rows.values()],
    ])
  },
}

/** Counts what is sold of each article. @param refused whether the database refuses orders of customer `refused` */
function seller(refused: boolean, table = shelf): ConsumerDefinition<Count, number> {
  const counting = tallyConsumer(group)
  const handle = counting.handlers.OrderPlaced!
  return {
    ...counting,
    shared: table,
    handlers: {
      OrderPlaced: (order, state, context, sold) => ({
        ...handle({ ...order, customerId: refused ? order.customerId : 'counts' }, state, context, new Map() as never),
        shared: new Map(order.lines.map(({ sku }) => [sku, (sold.get(sku) ?? 0) + 1])),
      }),
    },
  } as ConsumerDefinition<Count, number>
}

/** An order in a lane, of one piece of each article. */
function order(lane: number, skus: readonly string[], customer = 'counts') {
  let key = newEventId()
  while (laneOf(key, lanes) !== lane) key = newEventId()
  const { type, data } = orderPlaced(key, customer)
  const lines = skus.map((sku) => ({ ...data.lines[0]!, sku }))
  return { type, data: { ...data, lines, totalMinor: 100 * lines.length } }
}

const deadlocks = async (pool: Pool): Promise<number> => {
  await pool.query('select pg_stat_force_next_flush()')
  const { rows } = await pool.query<{ deadlocks: number }>(
    'select deadlocks::int from pg_stat_database where datname = current_database()',
  )
  return rows[0]?.deadlocks ?? 0
}

// Whoever notices first ends: the replay at once, or live traffic, which waits for a second
test.each([
  ['the replay', '10ms'],
  ['live traffic', '60s'],
])(
  'a deadlock of a replay with live traffic on shared rows, which ends %s: both are done in the end',
  async (_victim, noticesAfter) => {
    await using bench = await openTestBench(group, `${countTable}; ${shelfTable}`, lanes)
    const { pool } = bench
    await pool.query(`insert into shelf values ('a', 0), ('b', 0)`)
    await bench.replica(seller(false))
    const replayed = [order(0, ['b']), order(0, ['a'], 'refused'), order(0, ['a'])]
    await bench.publish(replayed)
    await bench.settled(['orders'])
    const before = await deadlocks(pool)
    const ranges = (await rangesOf(bench, 'orders')).filter(({ partition }) => partition === 0)
    const live = order(1, ['a', 'b'])
    let crossed = false
    const crossing: typeof shelf = {
      ...shelf,
      async lock(tx, ids) {
        await tx.query(`set local deadlock_timeout = '${noticesAfter}'`)
        const rows = await shelf.lock(tx, ids)
        if (crossed || ids.join() !== 'b') return rows
        crossed = true // The half before the refused order holds b; the other half will want a
        await bench.publish([live])
        await waitUntil('live traffic holds a and waits for b', async () => {
          const { rows: waiting } = await pool.query(
            `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%from shelf%for update'
             and datname = current_database()`,
          )
          return waiting.length > 0
        })
        return rows
      },
    }
    await using replay = await openReplayOf(bench, seller(true, crossing), ranges, { options: { skipFailed: true } })
    await reprocess.run(replay.context, replay.run)
    expect(crossed).toBe(true)
    await waitUntil('PostgreSQL has counted a deadlock', async () => (await deadlocks(pool)) > before)
    expect(replay.figures()).toMatchObject({ handled: 2, failed: 1 })
    await bench.settled(['orders'])
    expect(await ledgerSums(bench)).toMatchObject({ taken: 4, parked: 0 })
    const found = await counts(bench)
    const placed = [...replayed, live].map(({ data }) => found.get(data.orderId)?.placed)
    expect(placed).toEqual([2, 1, 2, 1])
    const { rows } = await pool.query('select sku, sold from shelf order by sku')
    expect(rows).toEqual([
      { sku: 'a', sold: 4 },
      { sku: 'b', sold: 3 },
    ])
  },
)
