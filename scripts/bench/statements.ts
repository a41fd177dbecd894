import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Ground } from './benchmark.ts'

/** Statements of one text, as pg_stat_statements counts them. */
interface Counted {
  readonly calls: number
  /** Milliseconds that they ran. */
  readonly ms: number
  readonly query: string
}

/**
 * Begins to count the statements of the database.
 * @returns a function that gives their number, or undefined if the server does not count them; with profiles, it also
 * writes all of them there, the longest first
 */
export async function startCountingStatements({
  sandbox: { pool, namespace },
  profiles,
}: Pick<Ground, 'sandbox' | 'profiles'>): Promise<() => Promise<number | undefined>> {
  try {
    await pool.query('create extension if not exists pg_stat_statements')
    await pool.query('select pg_stat_statements_reset()')
  } catch {
    return () => Promise.resolve(undefined) // An external server without it
  }
  return async () => {
    const { rows } = await pool.query<Counted>(
      `select calls, total_exec_time as ms, query from pg_stat_statements
       where dbid = (select oid from pg_database where datname = current_database()) order by ms desc`,
    )
    if (profiles) writeFileSync(join(profiles, `statements-${namespace}.json`), JSON.stringify(rows, undefined, 1))
    return rows.reduce((sum, { calls }) => sum + calls, 0)
  }
}
