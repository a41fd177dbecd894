import { hash } from 'node:crypto'
import type { RabbitmqPublisher } from '../../infra/rabbitmq/publisher.ts'
import type { Publication } from '../../infra/rabbitmq/publisher.ts'
import type { Queue } from '../forwarding/define-forwarder.ts'
import { contentType } from '../forwarding/message.ts'
import type { Message } from '../forwarding/message.ts'

/** `exchange:events`, or `queue:events` for the default exchange. */
export type Target = { readonly exchange: string } | { readonly queue: string }

/** Hands messages to an exchange, with the event's key as routing key, or to a queue. */
export const rabbitmqQueue = (publisher: RabbitmqPublisher, target: Target): Queue => ({
  check: () => {}, // RabbitMQ's limit is far above that of a record
  send: (message, signal) => publisher.publish(publicationOf(message, target), signal),
})

/** CloudEvents in binary mode: the attributes are headers with the prefix of the AMQP binding. */
export const publicationOf = ({ attributes, key, data }: Message, target: Target): Publication => ({
  ...('queue' in target
    ? { exchange: '', routingKey: target.queue }
    : { exchange: target.exchange, routingKey: short(key) }),
  content: Buffer.from(JSON.stringify(data)),
  properties: {
    persistent: true,
    contentType,
    messageId: short(attributes.id),
    type: attributes.type,
    appId: 'tally',
    headers: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`cloudEvents_${name}`, value])),
  },
})

/** Properties and routing keys have at most 255 bytes; a longer text is replaced by its hash. */
const short = (text: string): string => (Buffer.byteLength(text) <= 255 ? text : hash('sha256', text))
