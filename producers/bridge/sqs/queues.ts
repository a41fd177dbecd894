import { CreateQueueCommand, GetQueueAttributesCommand, QueueDoesNotExist } from '@aws-sdk/client-sqs'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { isTallyError, TallyError } from '../../../infra/errors.ts'
import { createSqs, sqsError } from '../../../infra/sqs/client.ts'
import type { SqsAccess } from '../../../infra/sqs/client.ts'
import { isFifo, queueUrl } from '../../../infra/sqs/queue-url.ts'
import type { BridgeRequest } from '../door.ts'

/** Where a queue and its dead-letter queue are. */
export interface Queues {
  readonly url: string
  readonly deadLetterUrl: string
}

/** SQS moves a message that it delivered more often: as late as it can, because restarts of bridges count, too. */
const maxReceiveCount = 1_000

/**
 * Makes sure that the queue exists and has a dead-letter queue, which SQS names in the queue's redrive policy.
 * @param create creates what is missing
 * @throws TallyError PRECONDITION_FAILED naming what is missing; DENIED; UNREACHABLE
 */
export async function ensureQueues(access: SqsAccess, { queue }: BridgeRequest, create: boolean): Promise<void> {
  const sqs = createSqs(access)
  try {
    if (create && !(await exists(sqs, queue))) await createQueues(sqs, queue)
    await findQueues(sqs, queue)
  } finally {
    sqs.destroy()
  }
}

/** @throws TallyError PRECONDITION_FAILED naming what is missing; DENIED; UNREACHABLE */
export async function findQueues(sqs: SQSClient, queue: string): Promise<Queues> {
  if (!(await exists(sqs, queue)))
    throw new TallyError(
      'PRECONDITION_FAILED',
      `Amazon SQS has no queue ${queue}: create it, or have \`npm run bridge -- sqs --queue ${queue} --create\` do so`,
    )
  const url = await queueUrl(sqs, queue)
  const ask = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['RedrivePolicy'] })
  const { Attributes = {} } = await sqs.send(ask).catch((error: unknown) => {
    throw sqsError(error)
  })
  const { deadLetterTargetArn } = JSON.parse(Attributes.RedrivePolicy ?? '{}') as { deadLetterTargetArn?: string }
  const deadLetter = deadLetterTargetArn?.split(':').at(-1)
  if (deadLetter === undefined)
    throw new TallyError('PRECONDITION_FAILED', `The queue ${queue} has no dead-letter queue: set its RedrivePolicy`)
  return { url, deadLetterUrl: await queueUrl(sqs, deadLetter) }
}

async function exists(sqs: SQSClient, queue: string): Promise<boolean> {
  try {
    await queueUrl(sqs, queue)
    return true
  } catch (error) {
    if (isTallyError(error) && error.cause instanceof QueueDoesNotExist) return false
    throw error
  }
}

async function createQueues(sqs: SQSClient, queue: string): Promise<void> {
  const fifo = isFifo(queue)
  const deadLetter = fifo ? `${queue.slice(0, -'.fifo'.length)}-dead-letter.fifo` : `${queue}-dead-letter`
  const kind = fifo ? { FifoQueue: 'true' } : {}
  try {
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: deadLetter, Attributes: kind }))
    const asked = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }))
    const policy = { deadLetterTargetArn: asked.Attributes?.QueueArn, maxReceiveCount }
    const Attributes = { ...kind, RedrivePolicy: JSON.stringify(policy) }
    await sqs.send(new CreateQueueCommand({ QueueName: queue, Attributes }))
  } catch (error) {
    throw sqsError(error)
  }
}
