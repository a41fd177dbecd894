import { setTimeout as delay } from 'node:timers/promises'
import type { ChannelModel, ConfirmChannel, ConsumeMessage } from 'amqplib'
import { describeError } from '../../../infra/errors.ts'
import { closeRabbitmq, keepRabbitmq } from '../../../infra/rabbitmq/connect.ts'
import { maxBodyBytes } from '../../orders-api/http/body-faults.ts'
import { boundedProblem } from '../bounded-problem.ts'
import { deadLetterOf } from '../door.ts'
import type { Door, DoorOptions } from '../door.ts'
import type { Outcome } from '../message.ts'
import { Turns } from '../turns.ts'
import { LargeMessages } from './large-messages.ts'
import { deadLetterProperties, readMessage } from './read-message.ts'

export interface RabbitmqDoorOptions extends DoorOptions {
  /** With user and password. */
  url: string
  /** What the management shows of the connection. */
  name: string
}

const retryMs = 1_000
/** Of messages that are too large to be orders, in memory: four of the largest that RabbitMQ 4 accepts. */
const mostBytes = 4 * 16 * 2 ** 20

/**
 * Consumes a queue of RabbitMQ. A delivery is acknowledged once its order is committed, or once RabbitMQ has confirmed its
 * dead letter. What is not acknowledged when the connection ends, RabbitMQ delivers again.
 */
export function openRabbitmqDoor(options: RabbitmqDoorOptions): Door {
  const { url, name, request, intake, log, onSettled } = options
  const { queue, prefetch } = request
  const stopping = new AbortController()
  const inWork = new Set<Promise<void>>()
  const large = new LargeMessages({ from: maxBodyBytes + 1, most: mostBytes })
  let consuming: ConfirmChannel | undefined
  let draining = false

  const settle = async (channel: ConfirmChannel, message: ConsumeMessage): Promise<void> => {
    const outcome = await intake.process(readMessage(message))
    if (outcome.kind === 'refused') await deadLetter(channel, message, outcome)
    channel.ack(message)
    onSettled(outcome.kind)
  }

  const turns = new Turns()
  /** One at a time: RabbitMQ returns what it cannot route before it confirms it, and so both belong to the same message. */
  const deadLetter = (channel: ConfirmChannel, message: ConsumeMessage, { problem }: Outcome & { kind: 'refused' }) =>
    turns.take('dead letters', async () => {
      const properties = deadLetterProperties(message, boundedProblem(problem))
      for (;;) {
        const why = await publish(channel, deadLetterOf(request), message.content, properties)
        if (why === undefined) break
        log.error({ queue: deadLetterOf(request), error: why }, 'the dead letter is not accepted: the message waits')
        await delay(retryMs, undefined, { signal: stopping.signal })
      }
      log.warn({ messageId: properties.messageId as unknown, problem: problem.body }, 'the message cannot be an order')
    })

  const take = (channel: ConfirmChannel, message: ConsumeMessage) => {
    if (draining) return // Not acknowledged: the next consumer gets it
    const { length: bytes } = message.content
    const { deliveryTag } = message.fields // Without the message, whose content is to be forgotten
    if (!large.admit(bytes, () => giveBack(channel, deliveryTag))) return
    const work = settle(channel, message)
      .catch((error: unknown) => {
        // Its channel is closed or the bridge ends: the delivery is not acknowledged
        log.info({ error: describeError(error) }, 'a message is left to the queue')
      })
      .finally(() => {
        inWork.delete(work)
        large.done(bytes)
      })
    inWork.add(work)
  }

  const setup = async (connection: ChannelModel): Promise<void> => {
    const channel = await connection.createConfirmChannel()
    // Without its channel a connection is of no use: it is made again, with a consumer
    channel.on('error', (error) => log.warn({ error: describeError(error) }, 'channel closed by RabbitMQ'))
    const reopen = () => {
      if (consuming === channel) consuming = undefined
      large.forget()
      void closeRabbitmq(connection)
    }
    channel.on('close', reopen)
    await channel.prefetch(prefetch)
    await channel.consume(queue, (message) => {
      if (message) return take(channel, message)
      log.warn({ queue }, 'the queue was deleted or moved')
      reopen()
    })
    consuming = channel
    log.info({ queue, prefetch }, 'taking messages')
  }

  const kept = keepRabbitmq({ url, name }, { setup, log })
  return {
    ended: kept.ended,
    trouble: () => (consuming ? undefined : `no connection to the queue ${queue}`),
    async stop(deadlineMs) {
      // Without cancelling: a single active consumer would be replaced at once, and the next one overtake what is in work here
      draining = true
      await Promise.race([Promise.all(inWork), delay(deadlineMs, undefined, { ref: false })])
      stopping.abort()
      await kept.stop()
    },
  }
}

const giveBack = (channel: ConfirmChannel, deliveryTag: number): void =>
  channel.nack({ fields: { deliveryTag } } as ConsumeMessage)

/** @returns why RabbitMQ does not have it; undefined once it has */
function publish(
  channel: ConfirmChannel,
  queue: string,
  content: Buffer,
  properties: object,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let returned: string | undefined
    const onReturn = () => (returned = `there is no queue ${queue}`)
    const onClose = () => reject(new Error('the channel was closed'))
    channel.once('return', onReturn)
    channel.once('close', onClose)
    channel.publish('', queue, content, properties, (error: unknown) => {
      channel.off('return', onReturn)
      channel.off('close', onClose)
      resolve(error ? describeError(error) : returned)
    })
  })
}
