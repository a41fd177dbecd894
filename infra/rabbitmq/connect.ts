import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'amqplib'
import type { ChannelModel } from 'amqplib'
import { corkWrites } from '../linger/cork-writes.ts'
import { describeError, isTallyError, TallyError } from '../errors.ts'
import type { Logger } from '../logger.ts'

/** What a user sees of a connection in RabbitMQ's management: `tally/payment`. */
export interface RabbitmqAccess {
  /** With user and password. */
  readonly url: string
  readonly name: string
}

const timeoutMs = 10_000
/** Both sides drop a connection after two beats without a sign of life. Seconds. */
const heartbeatSeconds = 10
/** How long RabbitMQ may take to close a connection. Afterwards the socket is closed without it. */
const closeMs = 5_000
const [firstDelayMs, longestDelayMs] = [200, 10_000]

/**
 * Connects once. The connection emits `close` when it ends, whatever the reason.
 * @throws TallyError DENIED if RabbitMQ refuses the login or the virtual host; UNREACHABLE
 */
export async function connectRabbitmq(access: RabbitmqAccess): Promise<ChannelModel> {
  try {
    const connection = await connect(address(access), socketOptions(access))
    corkMessages(streamOf(connection))
    connection.on('error', () => {}) // `close` follows
    return connection
  } catch (error) {
    throw connectionError(error)
  }
}

const streamOf = (connection: ChannelModel): Duplex => (connection.connection as unknown as { stream: Duplex }).stream

/** amqplib makes a write of each message. */
function corkMessages(stream: Duplex): void {
  const cork = corkWrites(stream)
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean
  const writeLater = (...args: unknown[]): boolean => {
    cork()
    return write(...args)
  }
  stream.write = writeLater as typeof stream.write
}

/** Closes a connection behind everything that was sent on it; after 5 s without RabbitMQ's answer. Never rejects. */
export async function closeRabbitmq(connection: ChannelModel): Promise<void> {
  const stream = streamOf(connection)
  const closed = new Promise((resolve) => stream.once('close', resolve))
  connection.close().catch(() => {}) // It is closed, or about to be
  const late = setTimeout(() => stream.destroy(new Error('RabbitMQ did not close the connection')), closeMs)
  if (!stream.closed) await closed
  clearTimeout(late)
}

/** A connection that is made again whenever it ends, until `stop`. */
export interface KeptConnection {
  /** Rejects with DENIED when RabbitMQ refuses the login: that is not tried again. Otherwise pending until `stop`. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

export interface KeepOptions {
  /** Prepares every new connection (channels, consumers). If it throws or takes too long, the connection is made again. */
  setup: (connection: ChannelModel) => Promise<void>
  /** How long that may take: a queue without a leader answers nothing, on a connection that lives. @default 30000 */
  setupMs?: number
  log: Logger
}

/** Keeps a connection, with growing delays between the attempts. */
export function keepRabbitmq(access: RabbitmqAccess, options: KeepOptions): KeptConnection {
  const stopping = new AbortController()
  const ended = keep(access, options, stopping.signal)
  ended.catch(() => {})
  return {
    ended,
    async stop() {
      stopping.abort()
      await ended.catch(() => {})
    },
  }
}

async function keep(access: RabbitmqAccess, options: KeepOptions, signal: AbortSignal): Promise<void> {
  const { setup, setupMs = 30_000, log } = options
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  let delayMs = firstDelayMs

  const serve = async (connection: ChannelModel) => {
    const lost = new Promise<unknown>((resolve) => connection.once('close', resolve))
    await Promise.race([setup(connection), late(setupMs), stopped])
    if (signal.aborted) return
    delayMs = firstDelayMs
    log.info('connected to RabbitMQ')
    const why = await Promise.race([lost, stopped])
    if (!signal.aborted) log.warn({ error: connectionError(why ?? 'closed').message }, 'connection to RabbitMQ lost')
  }

  while (!signal.aborted) {
    try {
      const connection = await connectRabbitmq(access)
      await serve(connection).finally(() => closeRabbitmq(connection))
    } catch (error) {
      const known = connectionError(error)
      log.warn({ error: known.message }, 'no connection to RabbitMQ')
      if (known.code === 'DENIED') throw known
    }
    await delay(delayMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => {})
    delayMs = Math.min(longestDelayMs, delayMs * 2)
  }
}

async function late(ms: number): Promise<never> {
  await delay(ms, undefined, { ref: false })
  throw new TallyError(
    'UNREACHABLE',
    `RabbitMQ does not answer on a connection within ${ms} ms: is the queue available?`,
  )
}

/** An error of a connection or channel as one of Tally's. */
export function connectionError(error: unknown): TallyError {
  if (isTallyError(error)) return error
  const message = describeError(error).replaceAll(/\s+/g, ' ').trim()
  if (/ACCESS[-_]REFUSED|\b530\b|NOT_ALLOWED|Expected ConnectionOpenOk/.test(message))
    return new TallyError(
      'DENIED',
      `RabbitMQ refuses access: correct the user, password and virtual host in TALLY_RABBITMQ_URL, and the user's permissions, then restart (${message})`,
      { cause: error },
    )
  return new TallyError('UNREACHABLE', `${whatFails(message)}: ${message}`, { cause: error })
}

function whatFails(message: string): string {
  if (/NOT[-_]FOUND/.test(message)) return 'RabbitMQ has no such queue or exchange: declare it'
  if (/SSL routines|wrong version number/.test(message))
    return 'RabbitMQ speaks no TLS on this port: correct the port in TALLY_RABBITMQ_URL, or use amqp://'
  return 'RabbitMQ does not answer'
}

function address({ url }: RabbitmqAccess): string {
  const own = new URL(url)
  if (!own.searchParams.has('heartbeat')) own.searchParams.set('heartbeat', String(heartbeatSeconds))
  return own.href
}

const socketOptions = ({ name }: RabbitmqAccess) => ({
  timeout: timeoutMs,
  noDelay: true,
  clientProperties: { connection_name: name },
})
