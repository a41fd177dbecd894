import type pg from 'pg'
import { describeError, TallyError } from '../errors.ts'

/** What one session needs beside the settings of all; time limits in ms, 0 for none. */
export interface SessionOptions {
  /** `application_name`, by which operators recognize the process. */
  name: string
  statementMs: number
  lockMs: number
  idleInTransactionMs: number
  /** Reach rows by key whatever the statistics say. */
  byKey?: boolean | undefined
}

/**
 * Settings that change what a statement means or keeps, each with the value that the code is written for. A server,
 * database, role or `options` in the URL may set others. Those that only change plans or memory are the operator's.
 */
const reliedOn: Readonly<Record<string, string>> = {
  // Text formats of values in both directions
  client_encoding: 'UTF8',
  datestyle: 'ISO, MDY',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  quote_all_identifiers: 'off',
  // How SQL is read
  standard_conforming_strings: 'on',
  transform_null_equals: 'off',
  array_nulls: 'on',
  gin_fuzzy_search_limit: '0',
  // Transactions
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  session_replication_role: 'origin', // Otherwise no trigger runs
  exit_on_error: 'off',
  row_security: 'off', // A policy that hides rows is an error, never a shorter answer
  // Sessions hold advisory locks while they are idle
  idle_session_timeout: '0',
  transaction_timeout: '0',
}

/**
 * Only what differs is set, since some settings need a privilege even for the value they have; a server that does not know
 * one is older and behaves as if it had the value. An operator may ask for more than `synchronous_commit = on`, never for
 * less: what was acknowledged or published must be kept. A server without fsync keeps nothing anyway. The name is not
 * checked: PostgreSQL shortens it.
 */
const prepare = `
  select set_config(name, value, false)
  from unnest($1::text[], $2::text[]) as wanted (name, value)
  where current_setting(name, true) is distinct from value
  union all
  select set_config('synchronous_commit', 'on', false)
  where current_setting('synchronous_commit') = 'off' and current_setting('fsync') = 'on'
  union all
  select set_config('application_name', $3, false) where current_setting('application_name') is distinct from $3`

/**
 * Makes a new connection independent of the defaults of its server, database, role and URL, and of a pooler that drops or
 * refuses start-up options.
 * @param schema `search_path`; PostgreSQL's default if absent
 * @returns process id of the connection's server process
 * @throws TallyError CONFIG_INVALID if a setting that the code relies on cannot be had
 */
export async function prepareSession(
  client: pg.ClientBase,
  schema: string | undefined,
  limits: SessionOptions,
  answerWithinMs: number,
): Promise<number> {
  const wanted = {
    ...reliedOn,
    search_path: schema ?? '"$user", public',
    statement_timeout: inMs(limits.statementMs),
    lock_timeout: inMs(limits.lockMs),
    idle_in_transaction_session_timeout: inMs(limits.idleInTransactionMs),
    ...(limits.byKey && { enable_seqscan: 'off', plan_cache_mode: 'force_generic_plan' }),
  }
  const names = Object.keys(wanted)
  const send = (text: string, values: unknown[] = []) => {
    const statement: pg.QueryConfig & { query_timeout: number } = { text, values, query_timeout: answerWithinMs }
    return client.query<{ pid: number; other: string[] }>(statement)
  }
  try {
    await send('set statement_timeout = 0') // By itself: a short limit would end the next statement
    await send(prepare, [names, Object.values(wanted), limits.name])
    const { rows } = await send(
      `select pg_backend_pid() as pid, array(
         select name || ' = ' || coalesce(current_setting(name, true), '(not set)')
         from unnest($1::text[], $2::text[]) as wanted (name, value)
         where current_setting(name, true) <> value
       ) as other`,
      [names, Object.values(wanted)],
    )
    const { pid, other } = rows[0]!
    if (other.length > 0) throw unusable(`settings do not hold (${other.join(', ')})`)
    return pid
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '42501') throw unusable(describeError(error), error)
    throw error
  }
}

/**
 * Refuses a connection whose server process serves another open connection, too: a pooler in transaction mode gives each
 * transaction any session, with other settings and without the advisory locks taken in the last one.
 */
export function refuseSharedSession(pid: number, others: Iterable<number>): void {
  for (const other of others) if (other === pid) throw unusable('a pooler shares sessions between connections')
}

const unusable = (why: string, cause?: unknown) =>
  new TallyError(
    'CONFIG_INVALID',
    `PostgreSQL's sessions cannot be used: ${why}; connect without a pooler or with one in session mode, as a role whose defaults may be changed (alter role … reset …)`,
    { cause },
  )

/** A time as `current_setting` gives it back: in the largest unit that divides it. */
function inMs(ms: number): string {
  if (ms === 0) return '0'
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ] as const
  for (const [unit, size] of units) if (ms % size === 0) return `${ms / size}${unit}`
  return `${ms}ms`
}
