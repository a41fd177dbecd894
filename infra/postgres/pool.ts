import pg from 'pg'
import { describeError } from '../errors.ts'
import { corkStatements } from './cork-statements.ts'
import type { Logger } from '../logger.ts'
import { prepareSession, refuseSharedSession } from './session.ts'

export type Pool = pg.Pool

/**
 * How many transactions of one kind to run at a time. Each waits for a connection only so long: any number at once would
 * time out on a slow database and be tried again, which makes it slower still. One connection is left for other statements.
 */
export const transactionsAtOnce = ({ options }: Pool): number => Math.max(1, options.max - 1)

export interface PoolOptions {
  url: string
  /** `search_path` of every connection: a service sees only its own schema. */
  schema?: string
  name: string
  /** @default 4: two to four busy connections saturate two cores */
  max?: number
  /** After this time the server ends an idle transaction, so that a frozen process cannot hold a lane's row. @default 2000 */
  idleInTransactionMs?: number
  /** Time limit to connect and for an answer. @default 5000 to connect, 20000 for an answer */
  answerWithinMs?: number
  /** Time limit of a statement, in the client and on the server. @default `answerWithinMs` in the client, 15000 on the server */
  statementWithinMs?: number
  /**
   * Never scan a table from end to end if an index leads to the rows, and plan a statement once. A prepared statement keeps
   * the plan that was made while its table was small, so that a service on new tables would scan them as they grow; or,
   * while batches are small, it is planned again each time. @default false
   */
  byKey?: boolean
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
  byKey,
  log,
}: PoolOptions): Pool {
  const limits = { name, statementMs: statementWithinMs ?? 15_000, lockMs: 5_000, idleInTransactionMs, byKey }
  const sessions = new Map<pg.ClientBase, number>()
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: name,
    connectionTimeoutMillis: answerWithinMs ?? 5_000,
    idleTimeoutMillis: 30_000,
    query_timeout: statementWithinMs ?? answerWithinMs ?? 20_000,
    keepAlive: true,
    pipeline: true,
    // Not start-up options: a pooler may drop them, and `options` in the URL would replace them
    onConnect: async (client: pg.ClientBase) => {
      const pid = await prepareSession(client, schema, limits, answerWithinMs ?? 5_000)
      refuseSharedSession(pid, sessions.values())
      sessions.set(client, pid)
      client.once('end', () => sessions.delete(client))
    },
  })
  pool.on('remove', (client) => sessions.delete(client))
  pool.on('error', (error) => log.warn({ error: describeError(error) }, 'idle database connection lost'))
  // A terminated backend raises 'error' on the client even between two queries; without a listener it ends the process
  pool.on('connect', (client) => {
    client.on('error', (error) => log.warn({ error: describeError(error) }, 'database connection lost'))
    corkStatements(client)
  })
  return pool
}

/**
 * Opens two connections at once and gives them back, before a process takes on anything: one alone does not show that a
 * pooler shares sessions.
 * @throws TallyError CONFIG_INVALID
 */
export async function checkSessions(pool: Pool): Promise<void> {
  const first = await pool.connect()
  try {
    const second = await pool.connect()
    second.release()
  } finally {
    first.release()
  }
}
