import { describeError } from '../errors.ts'
import type { Pool } from './pool.ts'
import { prepared } from './transaction.ts'

const state = prepared<{ readOnly: boolean }>(
  'writes',
  `select pg_is_in_recovery() or current_setting('transaction_read_only')::bool as "readOnly"`,
)

/** Asks the database. @returns why nothing can be committed; undefined if it can */
export async function databaseWrites(pool: Pool): Promise<string | undefined> {
  try {
    const [row] = await state(pool)
    return row?.readOnly ? 'the database is read-only' : undefined
  } catch (error) {
    return `the database does not answer: ${describeError(error)}`
  }
}
