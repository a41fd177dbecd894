import type { Tx } from './transaction.ts'

/**
 * The database's clock, UTC epoch ms. Whatever decides on stored data by its age asks this one: the clocks of hosts differ, and
 * one that is weeks ahead would forget what is still needed.
 */
export async function databaseTime(db: Tx): Promise<number> {
  const { rows } = await db.query<{ now: Date }>('select now()')
  return (rows[0] as { now: Date }).now.getTime()
}
