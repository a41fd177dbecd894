import { DeleteMessageBatchCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { connectRabbitmq } from '../../rabbitmq/connect.ts'

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
  const connection = await connectRabbitmq({ url, name: 'drain' })
  const channel = await connection.createChannel()
  const drained: Drained[] = []
  for (let got = await channel.get(queue); got; got = await channel.get(queue)) {
    const headers = got.properties.headers as Record<string, string>
    const { cloudEvents_id: id = '', cloudEvents_subject: subject = '' } = headers
    const { messageId, contentType } = got.properties
    const attributes = { ...headers, messageId: String(messageId), contentType: String(contentType) }
    drained.push({ ...{ id, subject, attributes }, body: got.content.toString() })
    channel.ack(got)
  }
  await channel.close() // After the acknowledgements
  await connection.close()
  return drained
}

/** Takes all messages out of a queue of SQS. @param url of the queue */
export async function drainSqs(sqs: SQSClient, url: string): Promise<Drained[]> {
  const drained: Drained[] = []
  for (;;) {
    const { Messages: messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        ...{ QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 },
        MessageAttributeNames: ['All'],
      }),
    )
    if (messages.length === 0) return drained
    for (const { Body: body = '', MessageAttributes: given = {} } of messages) {
      const attributes = Object.fromEntries(Object.entries(given).map(([name, each]) => [name, each.StringValue ?? '']))
      drained.push({ id: attributes['ce_id'] ?? '', subject: attributes['ce_subject'] ?? '', body, attributes })
    }
    await sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl: url,
        Entries: messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
      }),
    )
  }
}
