import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../../../infra/config.ts'
import type { QueueServer } from '../../../infra/queue-settings.ts'
import { RabbitmqPublisher } from '../../../infra/rabbitmq/publisher.ts'
import { SqsBatchSender } from '../../../infra/sqs/batch-sender.ts'
import { createSqs } from '../../../infra/sqs/client.ts'
import type { SqsAccess } from '../../../infra/sqs/client.ts'
import { ensureQueues } from '../../../producers/bridge/start-bridge.ts'
import { inQueue, outQueue } from './doors.ts'

/** A shop that sends orders to a queue, and knows what it has sent. */
export interface Mailbox extends AsyncDisposable {
  readonly server: QueueServer
  /** Ids of messages that are orders. */
  readonly orders: Set<string>
  /** Ids of messages that cannot be orders. */
  readonly nonsense: Set<string>
  /** Resolves when the queue has confirmed the message, however often it must be sent. */
  send(message: { id: string; group: string; body: string }): Promise<void>
}

interface Sender {
  send(message: Parameters<Mailbox['send']>[0], signal: AbortSignal): Promise<void>
  stop(): Promise<void>
}

const confirmWithinMs = 10_000
const retryMs = 1_000
const maxAttempts = 300

/** Creates the queues of a door and opens it, past the proxies. */
export async function openMailbox(config: Config, server: QueueServer): Promise<Mailbox> {
  for (const queue of [inQueue[server], outQueue[server]])
    await ensureQueues(config, { door: server, queue, prefetch: 1 }, true)
  const sender = server === 'rabbitmq' ? toRabbitmq(config.rabbitmq.url as string) : toSqs(config.sqs as SqsAccess)
  return {
    server,
    orders: new Set(),
    nonsense: new Set(),
    async send(message) {
      for (let attempts = 1; ; attempts++) {
        try {
          return await sender.send(message, AbortSignal.timeout(confirmWithinMs))
        } catch (error) {
          if (attempts >= maxAttempts) throw error
          await delay(retryMs)
        }
      }
    },
    [Symbol.asyncDispose]: () => sender.stop(),
  }
}

function toRabbitmq(url: string): Sender {
  const publisher = new RabbitmqPublisher({ url, name: 'chaos' })
  return {
    send({ id, body }, signal) {
      const properties = { messageId: id, contentType: 'application/json', persistent: true }
      return publisher.publish(
        { exchange: '', routingKey: inQueue.rabbitmq, content: Buffer.from(body), properties },
        signal,
      )
    },
    stop: () => publisher.close(),
  }
}

function toSqs(access: SqsAccess): Sender {
  const sqs = createSqs(access)
  const sender = new SqsBatchSender(sqs, inQueue.sqs)
  return {
    send: ({ id, group, body }, signal) =>
      sender.send(
        {
          MessageBody: body,
          MessageAttributes: { 'message-id': { DataType: 'String', StringValue: id } },
          ...{ MessageGroupId: group, MessageDeduplicationId: id },
        },
        signal,
      ),
    stop: async () => sqs.destroy(),
  }
}
