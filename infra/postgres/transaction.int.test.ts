import { afterAll, expect, test } from '@jest/globals'
import { inTransaction } from './transaction.ts'
import { createSandbox } from '../../schemas/testing/sandbox.ts'

const { pool, namespace, close } = createSandbox()
afterAll(() => close())

test('a failure that was swallowed does not pass for a commit', async () => {
  const table = `"${namespace}kept"`
  await pool.query(`create schema ${table}`)
  await pool.query(`create table ${table}.kept (id int)`)
  const swallowing = inTransaction(pool, async (tx) => {
    await tx.query(`insert into ${table}.kept values (1)`)
    await tx.query('select from nowhere').catch(() => {})
  })
  await expect(swallowing).rejects.toMatchObject({
    code: 'INVARIANT',
    message: expect.stringMatching('failed unnoticed'),
  })
  await inTransaction(pool, (tx) => tx.query(`insert into ${table}.kept values (2)`))
  expect((await pool.query(`select * from ${table}.kept`)).rows).toEqual([{ id: 2 }])
})
