import { expect, test } from '@jest/globals'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { inTransaction } from '../../../infra/postgres/transaction.ts'
import { createOrdersBench } from '../testing/orders-bench.ts'
import { forgetKeys } from './forget-keys.ts'

const week = 7

const fill = (pool: Pool, prefix: string, count: number, days: number) =>
  pool.query(
    `insert into idempotency select $1 || n, '\\x00', '{}', now() - make_interval(days => $3) from generate_series(1, $2) n`,
    [prefix, count, days],
  )
const countKeys = async (pool: Pool) =>
  (await pool.query<{ keys: number }>('select count(*) as keys from idempotency')).rows[0]?.keys ?? 0
/** Makes the next turn due. */
const pass = (pool: Pool) => pool.query('update idempotency_sweep set due_at = now()')

test('keys leave after a week, a slice at a time, with every replica continuing where the last one stopped', async () => {
  await using bench = await createOrdersBench()
  const { pool } = bench
  await fill(pool, 'old-', 20_000, 8)
  await fill(pool, 'young-', 1_000, 6)
  await pass(pool)
  let left = await countKeys(pool)
  for (let turns = 0; left > 1_000; turns++) {
    expect(turns).toBeLessThan(50)
    expect(await forgetKeys(pool, week, 10)).toBeGreaterThan(0)
    const now = await countKeys(pool)
    // A slice of ten blocks holds fewer than 1,600 such rows; a turn has few slices
    expect(left - now).toBeLessThanOrEqual(1_600)
    left = now
    await pass(pool)
  }
  const { rows } = await pool.query(`select from idempotency where key like 'young-%'`)
  expect(rows).toHaveLength(1_000)
})

test('a turn is taken by one of several replicas, and the next one only when it is due', async () => {
  await using bench = await createOrdersBench()
  await fill(bench.pool, 'old-', 100, 8)
  await pass(bench.pool)
  const meanwhile = await inTransaction(bench.pool, async (tx) => {
    await tx.query('select from idempotency_sweep for key share') // Another replica's turn, for which an update does not wait
    return forgetKeys(bench.pool, week)
  })
  expect(meanwhile).toBe(0)
  expect(await countKeys(bench.pool)).toBe(100)
  const swept = await Promise.all([1, 2, 3, 4].map(() => forgetKeys(bench.pool, week)))
  expect(swept.filter((slices) => slices > 0)).toHaveLength(1)
  expect(await countKeys(bench.pool)).toBe(0)
  expect(await forgetKeys(bench.pool, week)).toBe(0)
})

test('the key of a message is kept for longer than any queue keeps the message', async () => {
  await using bench = await createOrdersBench()
  const { pool } = bench
  const keep = (name: string, days: number) =>
    pool.query(`insert into idempotency values ($1, '\\x00', '{}', now() - make_interval(days => $2))`, [name, days])
  await keep('sqs:orders young ', 29)
  await keep('sqs:orders old ', 31)
  await keep('c-1 request', 29)
  await pass(pool)
  await forgetKeys(pool, week)
  expect((await pool.query('select key from idempotency')).rows).toEqual([{ key: 'sqs:orders young ' }])
})
