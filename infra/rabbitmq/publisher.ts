import type { ChannelModel, ConfirmChannel, Options } from 'amqplib'
import { TallyError } from '../errors.ts'
import { closeRabbitmq, connectionError, connectRabbitmq } from './connect.ts'
import type { RabbitmqAccess } from './connect.ts'

export interface Publication {
  /** Empty: the default exchange, which routes to the queue with the name of the routing key. */
  readonly exchange: string
  readonly routingKey: string
  readonly content: Buffer
  /** With an id, unique among those that are unconfirmed: by it RabbitMQ returns a message that has no queue. */
  readonly properties: Options.Publish & { readonly messageId: string }
}

interface OpenChannel {
  readonly connection: ChannelModel
  readonly channel: ConfirmChannel
  /** Ids of messages that no queue is bound for; noted before their confirmation arrives. */
  readonly returned: Set<string>
  /** Why RabbitMQ does not read from the connection at present. */
  blocked?: string
  /** Why RabbitMQ closed the channel. */
  closed?: TallyError
}

/** A connection without publications is closed after this time, ms. */
const idleMs = 30_000

/**
 * Publishes over one channel with confirms; any number of publications may be unconfirmed at a time. It connects for the
 * first publication, and again for the next one after a failure: retries are left to the caller.
 */
export class RabbitmqPublisher implements AsyncDisposable {
  private readonly access: RabbitmqAccess
  private opening: Promise<OpenChannel> | undefined
  private unconfirmed = 0
  private idle: NodeJS.Timeout | undefined

  constructor(access: RabbitmqAccess) {
    this.access = access
  }

  /**
   * Resolves when every queue to which the message was routed keeps it.
   * @throws TallyError DENIED; UNREACHABLE if that was not confirmed before the signal aborts, or no queue is bound: queues
   *   may have the message nevertheless
   */
  async publish(publication: Publication, signal: AbortSignal): Promise<void> {
    clearTimeout(this.idle)
    this.unconfirmed++
    try {
      await whenConfirmed(await this.open(), publication, signal)
    } finally {
      if (--this.unconfirmed === 0) this.idle = setTimeout(() => void this.close(), idleMs).unref()
    }
  }

  /** Ends the connection; the next publication makes another one. */
  async close(): Promise<void> {
    clearTimeout(this.idle)
    const { opening } = this
    this.opening = undefined
    await opening?.then(({ connection }) => closeRabbitmq(connection)).catch(() => {}) // It was never made
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private open(): Promise<OpenChannel> {
    if (this.opening) return this.opening
    const forget = () => {
      if (this.opening === opening) this.opening = undefined
    }
    const opening = openChannel(this.access, forget).catch((error: unknown) => {
      forget()
      throw connectionError(error)
    })
    this.opening = opening
    return opening
  }
}

async function openChannel(access: RabbitmqAccess, ended: () => void): Promise<OpenChannel> {
  const connection = await connectRabbitmq(access)
  const channel = await connection.createConfirmChannel().catch((error: unknown) => {
    void closeRabbitmq(connection)
    throw error
  })
  const open: OpenChannel = { connection, channel, returned: new Set() }
  connection.on('blocked', (reason) => (open.blocked = reason))
  connection.on('unblocked', () => delete open.blocked)
  channel.on('return', ({ properties }) => open.returned.add(String(properties.messageId)))
  channel.on('error', (error) => (open.closed = connectionError(error)))
  channel.on('close', () => {
    ended()
    void closeRabbitmq(connection) // A channel closes alone after an error of its own
  })
  connection.on('close', ended)
  return open
}

function whenConfirmed(open: OpenChannel, publication: Publication, signal: AbortSignal): Promise<void> {
  const { channel, returned } = open
  const { exchange, routingKey, content, properties } = publication
  const { messageId } = properties
  return new Promise((confirmed, failed) => {
    const late = () =>
      failed(
        new TallyError(
          'UNREACHABLE',
          `RabbitMQ has not confirmed a message in time${open.blocked === undefined ? '' : `: it accepts none (${open.blocked})`}`,
        ),
      )
    if (signal.aborted) return late()
    signal.addEventListener('abort', late, { once: true })
    const settle = (error: unknown) => {
      signal.removeEventListener('abort', late)
      if (error) failed(open.closed ?? connectionError(error))
      else if (returned.delete(messageId)) failed(noQueue(exchange, routingKey))
      else confirmed()
    }
    try {
      channel.publish(exchange, routingKey, content, { ...properties, mandatory: true }, settle)
    } catch (error) {
      settle(error) // The channel closed just before
    }
  })
}

const noQueue = (exchange: string, routingKey: string): TallyError =>
  new TallyError(
    'UNREACHABLE',
    exchange === ''
      ? `RabbitMQ has no queue "${routingKey}": declare it`
      : `RabbitMQ has no queue bound to the exchange "${exchange}" for the routing key "${routingKey}": bind one`,
  )
