import type pg from 'pg'
import { ArrayParameter } from './array-literal.ts'
import { TallyError } from '../errors.ts'
import type { Pool } from './pool.ts'

/**
 * A connection inside a transaction; everything that writes a service's state takes one as its first argument. Statements
 * are sent at once and run in order: those that do not depend on each other's answers share a round trip. If several fail,
 * the first error is the one to report.
 */
export type Tx = Pick<pg.ClientBase, 'query'>

/**
 * Runs `work` in one transaction. A connection that cannot roll back is destroyed, never reused. Statements that `work`
 * sends after it has failed are refused: they would run outside the transaction.
 * @throws what `work` throws; TallyError INVARIANT when an earlier error was swallowed
 */
export async function inTransaction<T>(pool: Pool, work: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  let over = false
  const query = (...args: Parameters<Tx['query']>) =>
    over ? Promise.reject(new TallyError('INVARIANT', 'the transaction is over')) : client.query(...args)
  const tx = { query } as Tx
  try {
    await client.query('begin')
    const result = await work(tx)
    const { command } = await client.query('commit')
    // The server reports a commit of a failed transaction as success, with this tag
    if (command === 'ROLLBACK') throw new TallyError('INVARIANT', 'a statement of the transaction failed unnoticed')
    return result
  } catch (error) {
    over = true
    await client.query('rollback').catch((rollbackError: Error) => (broken = rollbackError))
    throw error
  } finally {
    client.release(broken)
  }
}

/** Runs `work` in a transaction that is always rolled back, for dry runs. */
export async function rolledBack<T>(pool: Pool, work: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('begin')
    return await work(client)
  } finally {
    await client.query('rollback').catch((error: Error) => (broken = error))
    client.release(broken)
  }
}

/** A statement that the server plans once per connection. `name` must be unique within the code of a schema. */
export const prepared =
  <Row extends pg.QueryResultRow = pg.QueryResultRow>(name: string, text: string) =>
  async (tx: Tx, ...values: unknown[]): Promise<Row[]> =>
    (await tx.query<Row>({ name, text, values: values.map(parameter) })).rows

const parameter = (value: unknown): unknown => (Array.isArray(value) ? new ArrayParameter(value) : value)
