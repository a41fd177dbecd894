import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { describeError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Pool } from '../postgres/pool.ts'
import { prepareSession } from '../postgres/session.ts'
import type { Notices } from './notices.ts'

export interface ListenOptions {
  url: string
  /** Schema whose tables tell of changes: the channel is named after it. */
  schema: string
  /** Sends the notices that prove the channel: never over the listening connection, which a pooler could answer for. */
  pool: Pool
  name: string
  log: Logger
  /** How often the channel is tried, and how long that may take, ms. @default 20000 and 3000 */
  proveEveryMs?: number
  proveWithinMs?: number
}

export interface Listening extends Notices {
  stop(): Promise<void>
}

const limits = { statementMs: 15_000, lockMs: 5_000, idleInTransactionMs: 2_000 }
const answerWithinMs = 5_000
const longestBackoffMs = 10_000
const proofPrefix = 'proof '

/**
 * Listens to the changes of a schema over a connection of its own, which is made again whenever it is lost. A channel
 * counts as heard only while a notice sent over another connection arrives: a pooler may share the session, and a network
 * may lose a connection without a word.
 */
export function listen(options: ListenOptions): Listening {
  const { log, pool, schema, proveEveryMs = 20_000, proveWithinMs = 3_000 } = options
  const subscribers = new Set<() => void>()
  const stopping = new AbortController()
  const { signal } = stopping
  const over = new Promise((resolve) => signal.addEventListener('abort', resolve))
  let heard = false
  const tell = () => {
    for (const told of subscribers) told()
  }
  const set = (hears: boolean, why?: string) => {
    if (hears === heard) return
    heard = hears
    if (hears) log.debug({ schema }, 'notices arrive')
    else log.warn({ schema, why }, 'no notices arrive: looking often')
    tell()
  }

  /** Returns when the signal aborts; throws when the connection is lost or notices do not arrive. */
  const session = async () => {
    let arrived: ((proof: string) => void) | undefined
    const { client, lost } = await connectListener(options, (payload) => {
      if (payload.startsWith(proofPrefix)) arrived?.(payload)
      else tell()
    })
    try {
      while (!signal.aborted) {
        const proof = proofPrefix + randomUUID()
        const proven = new Promise<void>((resolve) => {
          arrived = (payload) => payload === proof && resolve()
        })
        await Promise.race([
          pool.query('select pg_notify($1, $2)', [schema, proof]).then(() => proven),
          lost,
          over,
          late(proveWithinMs),
        ])
        if (signal.aborted) return
        set(true)
        await Promise.race([delay(proveEveryMs, undefined, { signal }).catch(() => {}), lost])
      }
    } finally {
      client.removeAllListeners('end')
      await client.end().catch(() => {})
    }
  }

  const running = (async () => {
    for (let backoffMs = 100; !signal.aborted; backoffMs = Math.min(longestBackoffMs, backoffMs * 2)) {
      await session().catch((error: unknown) => {
        if (heard) backoffMs = 100
        set(false, describeError(error))
      })
      await delay(backoffMs, undefined, { signal }).catch(() => {})
    }
  })()

  return {
    get heard() {
      return heard
    },
    subscribe(told) {
      subscribers.add(told)
      return () => subscribers.delete(told)
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}

async function connectListener({ url, schema, name }: ListenOptions, notice: (payload: string) => void) {
  const client = new pg.Client({
    connectionString: url,
    application_name: `${name} listens`,
    connectionTimeoutMillis: answerWithinMs,
    query_timeout: answerWithinMs,
    keepAlive: true,
  })
  const lost = new Promise<never>((_, reject) => {
    client.on('error', reject)
    client.on('end', () => reject(new Error('the connection has ended')))
  })
  lost.catch(() => {}) // It may be lost while nobody waits for it
  client.on('notification', ({ payload = '' }) => notice(payload))
  try {
    await client.connect()
    await prepareSession(client, undefined, { ...limits, name: `${name} listens` }, answerWithinMs)
    await client.query(`listen ${pg.escapeIdentifier(schema)}`)
    return { client, lost }
  } catch (error) {
    await client.end().catch(() => {})
    throw error
  }
}

const late = async (ms: number): Promise<never> => {
  await delay(ms, undefined, { ref: false })
  throw new Error(`a notice did not arrive within ${ms} ms`)
}
