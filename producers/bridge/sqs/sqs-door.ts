import { setTimeout as delay } from 'node:timers/promises'
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import type { Message } from '@aws-sdk/client-sqs'
import { describeError } from '../../../infra/errors.ts'
import { createSqs, sqsError } from '../../../infra/sqs/client.ts'
import type { SqsAccess } from '../../../infra/sqs/client.ts'
import { boundedProblem } from '../bounded-problem.ts'
import type { Door, DoorOptions } from '../door.ts'
import type { Outcome } from '../message.ts'
import { MessagesInWork, visibilityS } from './messages-in-work.ts'
import { findQueues } from './queues.ts'
import type { Queues } from './queues.ts'
import { deadLetterAttributes, maxMessageBytes, readMessage } from './read-message.ts'

export interface SqsDoorOptions extends DoorOptions {
  access: SqsAccess
}

/** SQS hands out so many messages in one request. */
const maxReceived = 10
/** Requests that wait for messages at once at most. */
const maxReceivers = 8
/** Of messages in work, characters; those that requests under way may bring count as if they were as large as may be. */
const mostBytes = 64 * 2 ** 20
const waitS = 20
const retryMs = 1_000
/** How long a request for messages may still take when the bridge ends. */
const cutOffMs = 1_000

/**
 * Receives from a queue of Amazon SQS. A message is deleted once its order is committed, or once SQS has its dead letter.
 * Until then its visibility is extended; what a killed bridge had, SQS delivers again when that is over.
 */
export async function openSqsDoor(options: SqsDoorOptions): Promise<Door> {
  const { access, request, intake, log, onSettled } = options
  const { queue, prefetch } = request
  const sqs = createSqs(access)
  const queues = await findQueues(sqs, queue)
  const messages = new MessagesInWork({ sqs, url: queues.url, log })
  const stopping = new AbortController()
  const { signal } = stopping
  const inWork = new Set<Promise<void>>()
  const { promise: ended, reject } = Promise.withResolvers<void>()
  ended.catch(() => {})
  let trouble: string | undefined
  /** Resolved for all that wait whenever a message or a request is done, and replaced. */
  let room = Promise.withResolvers<void>()
  const makeRoom = () => {
    room.resolve()
    room = Promise.withResolvers()
  }
  /** Messages that requests under way may bring. */
  let receiving = 0
  let draining = false
  let bytesInWork = 0

  const settle = async (message: Message, receipt: string): Promise<void> => {
    const read = readMessage(message)
    const outcome = await intake.process(read)
    if (outcome.kind === 'refused') await deadLetter(message, read.id, outcome)
    await messages.settle(receipt)
    onSettled(outcome.kind)
  }

  const deadLetter = async (
    message: Message,
    messageId: string | undefined,
    { problem }: Outcome & { kind: 'refused' },
  ): Promise<void> => {
    const MessageAttributes = deadLetterAttributes(message, messageId, boundedProblem(problem))
    await sqs.send(new SendMessageCommand({ ...deadLetterOf(message, queues), MessageAttributes }))
    log.warn({ messageId, problem: problem.body }, 'the message cannot be an order')
  }

  const take = (message: Message) => {
    const { ReceiptHandle: receipt = '', Body: { length: bytes } = '' } = message
    messages.add(receipt)
    bytesInWork += bytes
    const work = settle(message, receipt)
      .catch((error: unknown) => {
        if (!signal.aborted) messages.leave(receipt)
        log.warn({ error: describeError(error) }, 'a message is left to the queue')
      })
      .finally(() => {
        inWork.delete(work)
        bytesInWork -= bytes
        makeRoom()
      })
    inWork.add(work)
  }

  const receive = async (): Promise<void> => {
    const inMemory = Math.floor((mostBytes - bytesInWork) / maxMessageBytes)
    const free = Math.min(prefetch - inWork.size, inMemory) - receiving
    if (free <= 0) return room.promise
    const asked = Math.min(free, maxReceived)
    receiving += asked
    try {
      const command = new ReceiveMessageCommand({
        ...{ QueueUrl: queues.url, MaxNumberOfMessages: asked, WaitTimeSeconds: waitS, VisibilityTimeout: visibilityS },
        ...{ MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] },
      })
      const { Messages = [] } = await sqs.send(command, { abortSignal: signal })
      trouble = undefined
      for (const message of Messages) take(message)
    } finally {
      receiving -= asked
      makeRoom()
    }
  }

  const keepReceiving = async (): Promise<void> => {
    while (!draining) {
      await receive().catch(async (error: unknown) => {
        if (signal.aborted) return
        const known = sqsError(error)
        trouble = known.message
        if (known.code === 'DENIED') reject(known)
        log.warn({ error: known.message }, 'no messages from the queue')
        await delay(retryMs, undefined, { signal }).catch(() => {})
      })
    }
  }
  const receivers = Array.from({ length: Math.min(maxReceivers, Math.ceil(prefetch / maxReceived)) }, keepReceiving)
  log.info({ queue, prefetch }, 'taking messages')

  return {
    ended,
    trouble: () => trouble,
    async stop(deadlineMs) {
      draining = true
      makeRoom()
      // Messages of a request that is cut off stay hidden: of a queue that has any, it returns at once
      await Promise.race([Promise.all(receivers), delay(cutOffMs, undefined, { ref: false })])
      stopping.abort()
      await Promise.all(receivers)
      await Promise.race([Promise.all(inWork), delay(deadlineMs, undefined, { ref: false })])
      await messages.stop()
      sqs.destroy()
    },
  }
}

/** Within five minutes SQS keeps one dead letter of a message of a FIFO queue, however often it is sent. */
function deadLetterOf({ Body, Attributes, MessageId }: Message, { deadLetterUrl }: Queues) {
  const fifo = Attributes?.SequenceNumber !== undefined
  return {
    ...{ QueueUrl: deadLetterUrl, MessageBody: Body },
    ...(fifo && { MessageGroupId: Attributes?.MessageGroupId, MessageDeduplicationId: MessageId }),
  }
}
