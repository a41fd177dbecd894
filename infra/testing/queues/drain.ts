import type { SQSClient } from '@aws-sdk/client-sqs'
import { drainRabbitmqQueue } from '../../rabbitmq/drain.ts'
import { drainSqsQueue } from '../../sqs/drain.ts'

/** What came out of a queue, in the order of the queue. */
export interface Drained {
  /** The CloudEvents attribute `id`. */
  readonly id: string
  /** The CloudEvents attribute `subject`. */
  readonly subject: string
  readonly body: string
  /** All headers or attributes. */
  readonly attributes: Readonly<Record<string, string>>
}

/** Takes all messages out of a queue of RabbitMQ. */
export async function drainRabbitmq(url: string, queue: string): Promise<Drained[]> {
  const drained: Drained[] = []
  await drainRabbitmqQueue({ url, name: 'drain' }, queue, (messages) => {
    for (const { properties, content } of messages) {
      const headers = properties.headers as Record<string, string>
      const { cloudEvents_id: id = '', cloudEvents_subject: subject = '' } = headers
      const { messageId, contentType } = properties
      const attributes = { ...headers, messageId: String(messageId), contentType: String(contentType) }
      drained.push({ ...{ id, subject, attributes }, body: content.toString() })
    }
  })
  return drained
}

/** Takes all messages out of a queue of SQS. @param url of the queue */
export async function drainSqs(sqs: SQSClient, url: string): Promise<Drained[]> {
  const drained: Drained[] = []
  await drainSqsQueue(sqs, url, (messages) => {
    for (const { Body: body = '', MessageAttributes: given = {} } of messages) {
      const attributes = Object.fromEntries(Object.entries(given).map(([name, each]) => [name, each.StringValue ?? '']))
      drained.push({ id: attributes['ce_id'] ?? '', subject: attributes['ce_subject'] ?? '', body, attributes })
    }
  })
  return drained
}
