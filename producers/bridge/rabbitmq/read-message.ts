import type { ConsumeMessage, Options } from 'amqplib'
import type { QueueMessage } from '../message.ts'

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** A delivery without what is particular to AMQP. Quorum queues count deliveries; a classic one says only that this is not the first. */
export function readMessage({ content, properties, fields }: ConsumeMessage): QueueMessage {
  const { headers = {}, messageId, contentType, contentEncoding } = properties
  const before: unknown = headers['x-delivery-count']
  return {
    id: textOf(messageId),
    body: content,
    contentType: textOf(contentType),
    contentEncoding: textOf(contentEncoding),
    traceparent: textOf(headers['traceparent']),
    deliveries: typeof before === 'number' ? before + 1 : fields.redelivered ? Number.POSITIVE_INFINITY : 1,
  }
}

/** All headers of a message must fit into one frame of at least 4 KB, usually 128 KB; the client encodes 64 KB. Bytes as JSON. */
const maxHeaders = 32_000

/**
 * The properties of a dead letter: those of the message, and the problem. Left out is what would make RabbitMQ refuse,
 * route or expire it: the user, direct reply-to, further routing keys, the time to live.
 */
export function deadLetterProperties({ properties, fields }: ConsumeMessage, problem: string): Options.Publish {
  const { headers = {}, messageId, contentType, contentEncoding, correlationId, timestamp, type, appId } = properties
  const { CC: _cc, BCC: _bcc, ...own } = headers
  const fits = Buffer.byteLength(JSON.stringify(own)) <= maxHeaders
  return {
    ...{ messageId, contentType, contentEncoding, correlationId, timestamp, type, appId },
    headers: {
      ...(fits ? own : { 'tally-headers-dropped': Object.keys(own).length }),
      'tally-problem': problem,
      'tally-routing-key': fields.routingKey,
    },
    persistent: true,
    mandatory: true,
  }
}
