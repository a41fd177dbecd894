import pg from 'pg'
import { ArrayParameter } from './array-literal.ts'
import { TallyError, describeError, isTallyError } from '../errors.ts'
import { sendTurnsAtOnce } from './cork-writes.ts'
import type { Logger } from '../logger.ts'

export type Pool = pg.Pool
/**
 * A connection inside a transaction: everything that writes a service's state takes one as its first argument. Statements
 * are sent at once and carried out in order: those that need nothing of each other's answers share a round trip, and of
 * several that fail the first is the one to hear of.
 */
export type Tx = Pick<pg.ClientBase, 'query'>

export interface PoolOptions {
  url: string
  /** `search_path` of every connection: a service sees its own schema and no other. */
  schema?: string
  name: string
  /** @default 4: two cores are saturated by two to four busy connections */
  max?: number
  /** A transaction idle for so long is ended by the server, so that a frozen process cannot hold a lane's row. @default 2000 */
  idleInTransactionMs?: number
  /** A connection or an answer not there after so long fails. @default 5000 for connections, 20000 for answers */
  answerWithinMs?: number
  /** A statement not done after so long is ended, here and by the server. @default `answerWithinMs` here, 15000 there */
  statementWithinMs?: number
  log: Logger
}

// int8 columns are offsets, counts and money in minor units: all far below 2^53
pg.types.setTypeParser(pg.types.builtins.INT8, Number)

export function createPool({
  url,
  schema,
  name,
  max = 4,
  idleInTransactionMs = 2_000,
  answerWithinMs,
  statementWithinMs,
  log,
}: PoolOptions): Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: name,
    connectionTimeoutMillis: answerWithinMs ?? 5_000,
    idleTimeoutMillis: 30_000,
    query_timeout: statementWithinMs ?? answerWithinMs ?? 20_000,
    keepAlive: true,
    pipeline: true,
    options: [
      `-c idle_in_transaction_session_timeout=${idleInTransactionMs}`,
      '-c lock_timeout=5000',
      `-c statement_timeout=${statementWithinMs ?? 15_000}`,
      ...(schema ? [`-c search_path=${schema}`] : []),
    ].join(' '),
  })
  pool.on('error', (error) => log.warn({ error: describeError(error) }, 'idle database connection lost'))
  // A terminated backend raises 'error' on the client even between two queries; unheard, it would end the process
  pool.on('connect', (client) => {
    client.on('error', (error) => log.warn({ error: describeError(error) }, 'database connection lost'))
    sendTurnsAtOnce(client)
  })
  return pool
}

/**
 * Runs `work` in one transaction. A connection that cannot even roll back is destroyed, never reused; what `work` left
 * under way when it failed is refused, because after the rollback it would take effect by itself.
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
    // So the server answers when a statement had failed and nobody minded: as if all were well
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

/** Runs `work` in a transaction that is rolled back however it ends: for looking at what would be. */
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

/**
 * Whether a statement failed for the values it was given: bad data, a constraint, too long for an index, refused by a trigger.
 * Source: PostgreSQL, appendix "Error Codes", classes 22, 23 and 54, code P0001.
 */
export function isDataError(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(22|23|54|P0001)/.test(error.code ?? '')
}

/**
 * Whether the same work may succeed later: the server is away, busy or out of room, or someone else was in the way. What
 * `pg` says of connections are bare `Error`s.
 * Source: PostgreSQL, appendix "Error Codes", classes 08, 25, 40, 53, 55, 57, 58.
 */
export function isTransient(error: unknown): boolean {
  if (isTallyError(error)) return error.code !== 'INVARIANT'
  if (error instanceof pg.DatabaseError) return /^(08|25|40|53|55|57|58)/.test(error.code ?? '08')
  return error instanceof Error && (error.constructor === Error || 'syscall' in error)
}

/** A statement the server plans once per connection. `name` must be unique within a schema's code. */
export const prepared =
  <Row extends pg.QueryResultRow = pg.QueryResultRow>(name: string, text: string) =>
  async (tx: Tx, ...values: unknown[]): Promise<Row[]> =>
    (await tx.query<Row>({ name, text, values: values.map(written) })).rows

const written = (value: unknown): unknown => (Array.isArray(value) ? new ArrayParameter(value) : value)
