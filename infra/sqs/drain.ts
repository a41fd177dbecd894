import { DeleteMessageBatchCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import type { Message, SQSClient } from '@aws-sdk/client-sqs'
import { TallyError } from '../errors.ts'
import { sqsError } from './client.ts'

/**
 * Takes all messages out of a queue, in groups. A group is deleted once `take` has resolved; if it throws, the queue
 * delivers the group again when its visibility timeout is over.
 * @param url of the queue
 * @throws what `take` throws; TallyError DENIED; UNREACHABLE
 */
export async function drainSqsQueue(
  sqs: SQSClient,
  url: string,
  take: (messages: readonly Message[]) => Promise<void> | void,
): Promise<void> {
  const failed = (error: unknown): never => {
    throw sqsError(error)
  }
  for (;;) {
    // A long poll asks all servers of SQS, so that an empty answer means an empty queue
    const asked = { QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, MessageAttributeNames: ['All'] }
    const { Messages: messages = [] } = await sqs.send(new ReceiveMessageCommand(asked)).catch(failed)
    if (messages.length === 0) return
    await take(messages)
    const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }))
    const { Failed = [] } = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries })).catch(failed)
    if (Failed.length > 0)
      throw new TallyError('UNREACHABLE', `Amazon SQS deletes no message: ${Failed[0]?.Message ?? 'no reason given'}`)
  }
}
