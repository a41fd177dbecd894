import { GetQueueUrlCommand } from '@aws-sdk/client-sqs'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { TallyError } from '../errors.ts'
import { sqsError } from './client.ts'

/**
 * The URL of a queue, of which its name is given, or the URL itself.
 * @throws TallyError UNREACHABLE if there is no such queue or no answer; DENIED
 */
export async function queueUrl(sqs: SQSClient, queue: string): Promise<string> {
  if (/^https?:/.test(queue)) return queue
  try {
    const { QueueUrl: url } = await sqs.send(new GetQueueUrlCommand({ QueueName: queue }))
    if (url !== undefined) return url
  } catch (error) {
    throw sqsError(error)
  }
  throw new TallyError('UNREACHABLE', `Amazon SQS names no URL for the queue ${queue}`)
}

/** Whether a queue keeps the order within message groups; SQS demands this ending of exactly those. */
export const isFifo = (queue: string): boolean => queue.endsWith('.fifo')
