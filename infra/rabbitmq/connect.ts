import { connect } from 'amqplib'
import type { ChannelModel } from 'amqplib'
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
const backoff = { initialDelay: 200, maxDelay: 10_000, factor: 2, jitter: 0.5 }

/**
 * Connects once. The connection emits `close` when it ends, whatever the reason.
 * @throws TallyError DENIED if RabbitMQ refuses the login or the virtual host; UNREACHABLE
 */
export async function connectRabbitmq(access: RabbitmqAccess): Promise<ChannelModel> {
  try {
    const connection = await connect(address(access), socketOptions(access))
    connection.on('error', () => {}) // `close` follows
    return connection
  } catch (error) {
    throw connectionError(error)
  }
}

/** A connection that is made again whenever it ends, until `stop`. */
export interface KeptConnection {
  /** Rejects with DENIED when RabbitMQ refuses the login: that is not tried again. Otherwise pending until `stop`. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

/**
 * Keeps a connection, with growing delays between the attempts.
 * @param setup prepares every new connection (channels, consumers); if it throws, the connection is made again
 */
export function keepRabbitmq(
  access: RabbitmqAccess,
  { setup, log }: { setup: (connection: ChannelModel) => Promise<void>; log: Logger },
): KeptConnection {
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>()
  ended.catch(() => {})
  const keeping = connect(address(access), {
    ...socketOptions(access),
    recovery: {
      ...backoff,
      waitForConnect: false,
      setup: async (connection: ChannelModel) => {
        connection.on('error', () => {}) // amqplib listens only after the setup, and an error without a listener is thrown
        await setup(connection)
      },
    },
  })
  void keeping.then((connection) => {
    connection.on('error', () => {})
    connection.on('connect', () => log.info('connected to RabbitMQ'))
    connection.on('disconnect', (error) =>
      log.warn({ error: connectionError(error).message }, 'connection to RabbitMQ lost'),
    )
    connection.on('connect-failed', (error) => {
      const known = connectionError(error)
      log.warn({ error: known.message }, 'no connection to RabbitMQ')
      if (known.code !== 'DENIED') return
      reject(known)
      void connection.close()
    })
  })
  return {
    ended,
    async stop() {
      await (await keeping).close()
      resolve()
    },
  }
}

/** An error of a connection or channel as one of Tally's. */
export function connectionError(error: unknown): TallyError {
  if (isTallyError(error)) return error
  const message = describeError(error)
  if (/ACCESS[-_]REFUSED|\b530\b|NOT_ALLOWED/.test(message))
    return new TallyError(
      'DENIED',
      `RabbitMQ refuses access: correct the user, password and virtual host in TALLY_RABBITMQ_URL, and the user's permissions, then restart (${message})`,
      { cause: error },
    )
  return new TallyError('UNREACHABLE', `RabbitMQ does not answer: ${message}`, { cause: error })
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
