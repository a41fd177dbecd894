import { expect, test } from '@jest/globals'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import { inTransaction } from '../../../../infra/postgres/transaction.ts'
import { waitUntil } from '../../../../infra/testing/wait-until.ts'
import { laneOf } from '../../../../schemas/partition.ts'
import { lockLaneAsOperator } from '../../../../producers/outbox/lane-table.ts'
import { orderStatusTable } from '../../../order-status/order-status-table.ts'
import { openTables } from '../../../testing/open-tables.ts'
import type { StateTable } from '../../state-table.ts'
import { countAudit } from '../audit.ts'
import { retireAudits, retireState } from './retirements.ts'
import { sweepSlice } from './sweep.ts'
import type { Retirement } from './sweep.ts'

const days = 30
const partitions = 3
const audits = retireAudits(days)
const state = retireState(orderStatusTable.retention as NonNullable<StateTable<never>['retention']>, partitions, days)

const insertAudits = (pool: Pool, count: number, age: number, parkedId = 0) =>
  pool.query(
    `insert into parked_audit (parked_id, lane, key, source, action, actor, why, at)
     select $3, n % 3, 'k-' || n, 'record', case when n % 2 = 0 then 'HANDLED' else 'DROPPED' end, 'ann', repeat('x', 200),
       now() - make_interval(days => $2) from generate_series(1, $1) n`,
    [count, age, parkedId],
  )

/** Orders with two lines of timeline each. */
async function insertOrders(
  pool: Pool,
  prefix: string,
  count: number,
  { age, ended = true }: { age: number; ended?: boolean },
) {
  await pool.query(
    `insert into order_status (order_id, status, seen, updated_at, ended_at, entries, stored_at)
     select $1 || n, 'completed', '{}', now(), case when $4 then now() end, 2, now() - make_interval(days => $3)
     from generate_series(1, $2) n`,
    [prefix, count, age, ended],
  )
  await pool.query(
    `insert into timeline select $1 || n, seq, 'e', 'OrderPlaced', now(), null, null, null, 'x'
     from generate_series(1, $2) n, generate_series(1, 2) seq`,
    [prefix, count],
  )
}

/** Slices until none is due. @returns rows deleted by each */
async function pass(pool: Pool, retirement: Retirement, slice: number): Promise<number[]> {
  const deleted: number[] = []
  for (
    let rows = await sweepSlice(pool, retirement, slice);
    rows !== undefined;
    rows = await sweepSlice(pool, retirement, slice)
  )
    deleted.push(rows)
  return deleted
}
const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)
const countRows = async (pool: Pool, table: string) =>
  (await pool.query<{ rows: number }>(`select count(*)::int as rows from ${table}`)).rows[0]?.rows ?? 0
const retired = async (pool: Pool) =>
  (await pool.query<{ rows: number }>('select coalesce(sum(rows), 0)::int as rows from retired')).rows[0]?.rows ?? 0
const audited = async (pool: Pool) => {
  const { rows } = await pool.query<{ schema: string }>('select quote_ident(current_schema) as schema')
  const counted = await countAudit(pool, rows[0]?.schema ?? '')
  return counted.map(({ action, events }) => `${action} ${events}`).sort()
}

test('old audit rows leave in slices by two processes at once; each is counted once, and the account stays as it was', async () => {
  await using tables = await openTables('order-status')
  const { pool } = tables
  await insertAudits(pool, 3_000, 31)
  await insertAudits(pool, 500, 29)
  const before = await audited(pool)
  const slices = (await Promise.all([1, 2].map(() => pass(pool, audits, 4)))).flat()
  // The one that finds the other at a slice is done; the next pass goes on
  await pool.query(`update retention set due_at = now()`)
  slices.push(...(await pass(pool, audits, 4)))
  expect(sum(slices)).toBe(3_000)
  expect(slices.filter((rows) => rows > 0).length).toBeGreaterThan(5)
  expect(Math.max(...slices)).toBeLessThanOrEqual(200) // Four blocks hold no more
  expect(await countRows(pool, 'parked_audit')).toBe(500)
  expect(await retired(pool)).toBe(3_000)
  expect(await audited(pool)).toEqual(before)
})

test('a process that dies within a slice leaves it to the next one: nothing is lost or counted twice', async () => {
  await using tables = await openTables('order-status')
  const { pool } = tables
  await insertAudits(pool, 1_000, 31)
  const before = await audited(pool)
  expect(await sweepSlice(pool, audits, 4)).toBeGreaterThan(0)
  const left = await countRows(pool, 'parked_audit')
  const dying: Retirement = {
    ...audits,
    async retire(tx, blocks) {
      expect(await audits.retire(tx, blocks)).toBeGreaterThan(0)
      const { rows } = await tx.query<{ pid: number }>('select pg_backend_pid() as pid')
      await pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]) // As when its host is lost
      await tx.query('select 1')
      return 0
    },
  }
  await expect(sweepSlice(pool, dying, 4)).rejects.toThrow()
  expect(await countRows(pool, 'parked_audit')).toBe(left)
  expect(await retired(pool)).toBe(1_000 - left)
  await pass(pool, audits, 4)
  expect([await countRows(pool, 'parked_audit'), await retired(pool)]).toEqual([0, 1_000])
  expect(await audited(pool)).toEqual(before)
  expect(await sweepSlice(pool, audits, 4)).toBeUndefined() // Until the next day
})

test('what was done with an event that is still parked stays', async () => {
  await using tables = await openTables('order-status')
  const { pool } = tables
  const { rows } = await pool.query<{ id: number }>(
    `insert into parked (lane, key, source, reason) values (0, 'k', 'timer', 'HANDLER_FAILED') returning id`,
  )
  await insertAudits(pool, 4, 300, rows[0]?.id)
  await insertAudits(pool, 6, 300, -1)
  expect(sum(await pass(pool, audits, 64))).toBe(6)
  expect(await countRows(pool, 'parked_audit')).toBe(4)
})

test('orders leave with their timelines once they have ended and not changed for so long', async () => {
  await using tables = await openTables('order-status')
  const { pool } = tables
  await insertOrders(pool, 'old-', 300, { age: 31 })
  await insertOrders(pool, 'young-', 20, { age: 29 })
  await insertOrders(pool, 'open-', 20, { age: 31, ended: false })
  const slices = await pass(pool, state, 2)
  expect([sum(slices), slices.length > 1]).toEqual([300, true])
  expect([await countRows(pool, 'order_status'), await countRows(pool, 'timeline')]).toEqual([40, 80])
  const { rows } = await pool.query<{ lane: number; rows: number }>(
    'select lane, rows::int as rows from retired order by lane',
  )
  const expected = Map.groupBy(
    Array.from({ length: 300 }, (_, n) => laneOf(`old-${n + 1}`, partitions)),
    (lane) => lane,
  )
  expect(rows).toEqual([...expected].sort(([a], [b]) => a - b).map(([lane, all]) => ({ lane, rows: all.length })))
})

test('an order that a batch changes meanwhile stays: rows are deleted under the lock of their lane', async () => {
  await using tables = await openTables('order-status')
  const { pool } = tables
  await insertOrders(pool, 'old-', 1, { age: 31 })
  const lane = laneOf('old-1', partitions)
  await pool.query('insert into lane (lane) values ($1) on conflict do nothing', [lane])
  const { swept } = await inTransaction(pool, async (tx) => {
    await lockLaneAsOperator(tx, lane)
    const sweeping = sweepSlice(pool, state)
    await waitUntil('it waits for the lane', async () => {
      const { rowCount } = await pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query ~ 'from lane|lane set|lane where'`,
      )
      return (rowCount ?? 0) > 0
    })
    await tx.query(`update order_status set stored_at = now()`)
    return { swept: sweeping }
  })
  expect(await swept).toBe(0)
  expect([await countRows(pool, 'order_status'), await countRows(pool, 'timeline'), await retired(pool)]).toEqual([
    1, 2, 0,
  ])
})
