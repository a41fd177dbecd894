import { SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import type { SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs'
import type { Config } from '../../infra/config.ts'
import { describeError, TallyError } from '../../infra/errors.ts'
import { closeRabbitmq, connectRabbitmq } from '../../infra/rabbitmq/connect.ts'
import { createSqs, sqsError } from '../../infra/sqs/client.ts'
import { isFifo, queueUrl } from '../../infra/sqs/queue-url.ts'
import { ensureQueues } from '../../producers/bridge/start-bridge.ts'
import { newOrderOf } from '../../producers/direct/api-client.ts'
import type { OutgoingEvent } from '../../producers/direct/publisher.ts'
import { gather } from '../../infra/linger/gather.ts'

export interface Destination {
  /** Resolves when the destination has acknowledged the event. */
  send(event: OutgoingEvent): Promise<void>
  maxOutstanding: number
  stop(): Promise<void>
}

export interface QueueOptions {
  config: Config
  server: 'rabbitmq' | 'sqs'
  queue: string
}

/**
 * Sends orders to a queue as a shop would: in JSON, with the id of the event as message id.
 * @throws TallyError PRECONDITION_FAILED if the queue does not exist; CONFIG_INVALID; DENIED; UNREACHABLE
 */
export async function toQueue({ config, server, queue }: QueueOptions): Promise<Destination> {
  await ensureQueues(config, { door: server, queue, prefetch: 1 })
  return server === 'rabbitmq' ? toRabbitmq(config, queue) : toSqs(config, queue)
}

function bodyOf({ type, data }: OutgoingEvent): { body: string; customerId: string } {
  if (type !== 'OrderPlaced') throw new TallyError('USAGE', `A queue of orders accepts OrderPlaced, not ${type}`)
  const order = newOrderOf(data)
  return { body: JSON.stringify(order), customerId: order.customerId }
}

async function toRabbitmq({ rabbitmq }: Config, queue: string): Promise<Destination> {
  const connection = await connectRabbitmq({ url: rabbitmq.url as string, name: 'tally/produce' })
  const channel = await connection.createConfirmChannel()
  return {
    send: (event) =>
      new Promise((resolve, reject) => {
        const { body } = bodyOf(event)
        const properties = { messageId: event.id, contentType: 'application/json', persistent: true }
        channel.sendToQueue(queue, Buffer.from(body), properties, (error: unknown) => {
          if (error) reject(new TallyError('UNREACHABLE', `RabbitMQ refuses a message: ${describeError(error)}`))
          else resolve()
        })
      }),
    maxOutstanding: 1_000,
    stop: () => closeRabbitmq(connection),
  }
}

/** SQS takes so many messages in one request. */
const maxBatch = 10

async function toSqs({ sqs: access }: Config, queue: string): Promise<Destination> {
  const sqs = createSqs(access as NonNullable<typeof access>)
  const url = await queueUrl(sqs, queue)
  const batches = gather(
    async (entries: Omit<SendMessageBatchRequestEntry, 'Id'>[]) => {
      const Entries = entries.map((entry, index) => ({ Id: String(index), ...entry }))
      const answer = await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries })).catch((error: unknown) => {
        throw sqsError(error)
      })
      const reasons = new Map(answer.Failed?.map(({ Id, Message }) => [Id, Message ?? 'no reason given']))
      return Entries.map(({ Id }) => reasons.get(Id))
    },
    { maxGroup: maxBatch },
  )
  return {
    async send(event) {
      const { body, customerId } = bodyOf(event)
      const reason = await batches.add({
        MessageBody: body,
        MessageAttributes: { 'message-id': { DataType: 'String', StringValue: event.id } },
        ...(isFifo(queue) && { MessageGroupId: customerId, MessageDeduplicationId: event.id }),
      })
      if (reason !== undefined) throw new TallyError('UNREACHABLE', `Amazon SQS refuses a message: ${reason}`)
    },
    maxOutstanding: 500,
    stop: async () => sqs.destroy(),
  }
}
