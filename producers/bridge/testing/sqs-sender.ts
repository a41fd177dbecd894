import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs'
import type { Message } from '@aws-sdk/client-sqs'
import { createSqs } from '../../../infra/sqs/client.ts'
import type { SqsAccess } from '../../../infra/sqs/client.ts'
import { queueUrl } from '../../../infra/sqs/queue-url.ts'
import { findQueues } from '../sqs/queues.ts'
import type { SentMessage, Sender } from './bridge-bench.ts'

export function sqsSender(access: SqsAccess): Sender {
  const sqs = createSqs(access)
  return {
    async send(queue, messages) {
      const QueueUrl = await queueUrl(sqs, queue)
      const large = messages.filter(({ body }) => body.length > 20_000)
      for (const message of large) await sqs.send(new SendMessageCommand({ QueueUrl, ...entryOf(message) }))
      const small = messages.filter((message) => !large.includes(message))
      for (let from = 0; from < small.length; from += 10) {
        const batch = small.slice(from, from + 10)
        const Entries = batch.map((message, index) => ({ Id: String(index), ...entryOf(message) }))
        const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }))
        if (Failed.length > 0) throw new Error(Failed[0]?.Message)
      }
    },
    async deliver(queue, times) {
      const asked = { QueueUrl: await queueUrl(sqs, queue), VisibilityTimeout: 0, WaitTimeSeconds: 1 }
      for (let delivered = 0; delivered < times; ) {
        const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(asked))
        delivered += Messages.length
      }
    },
    async deadLetters(queue) {
      const { deadLetterUrl: QueueUrl } = await findQueues(sqs, queue)
      const found: Message[] = []
      for (;;) {
        const ask = { QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }
        const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(ask))
        if (Messages.length === 0) break
        for (const { ReceiptHandle } of Messages) await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
        found.push(...Messages)
      }
      return found.map(({ Body = '', MessageAttributes = {} }) => ({
        id: MessageAttributes['message-id']?.StringValue,
        body: Body,
        problem: JSON.parse(MessageAttributes['tally-problem']?.StringValue ?? '{"status":0}'),
      }))
    },
    async waiting(queue) {
      const QueueUrl = await queueUrl(sqs, queue)
      const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] })
      const { Attributes = {} } = await sqs.send(asked)
      const { ApproximateNumberOfMessages: shown, ApproximateNumberOfMessagesNotVisible: hidden } = Attributes
      return Number(shown) + Number(hidden)
    },
    async [Symbol.asyncDispose]() {
      sqs.destroy()
    },
  }
}

function entryOf({ id, body, contentType, group }: SentMessage) {
  const text = (StringValue: string) => ({ DataType: 'String', StringValue })
  return {
    MessageBody: body.toString(),
    MessageAttributes: {
      ...(id !== undefined && { 'message-id': text(id) }),
      ...(contentType !== undefined && { 'content-type': text(contentType) }),
    },
    ...(group !== undefined && { MessageGroupId: group, MessageDeduplicationId: id }),
  }
}
