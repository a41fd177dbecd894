import { hash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { describeError, isTallyError, stackOf } from '../../infra/errors.ts'
import type { Logger } from '../../infra/logger.ts'
import { isDataError, isStatementError } from '../../infra/postgres/sqlstates.ts'
import { idempotencyOf } from '../orders-api/orders/idempotency.ts'
import type { PlaceOrder } from '../orders-api/orders/placing/place-order.ts'
import { problem } from '../orders-api/http/reply.ts'
import type { Reply } from '../orders-api/http/reply.ts'
import type { Attempts } from './attempts.ts'
import type { Outcome, QueueMessage } from './message.ts'
import { messageName } from './message-key.ts'
import type { AvroOrders } from './reading/avro-orders.ts'
import { readOrder } from './reading/read-order.ts'
import { SideBySide } from './side-by-side.ts'
import { Turns } from './turns.ts'

export interface IntakeOptions {
  /** Door and queue, as `rabbitmq:orders`. Message ids are names within it. */
  source: string
  place: PlaceOrder
  avro: AvroOrders
  attempts: Attempts
  log: Logger
  /** Ends the waiting for servers: messages in work are then left to the queue. */
  signal: AbortSignal
  /** Longest delay between attempts, ms. @default 5000 */
  retryMs?: number
}

/** A message that is delivered more often may have ended the bridges that took it, or was among those in work there. */
export const maxDeliveries = 3
/** Attempts, with no other message in work, that ended the bridge: then it was this message. */
export const maxUnended = 5
/** Attempts of a message that fails for no known reason. */
const maxAttempts = 5

export interface Intake {
  /**
   * Makes an order of a message. Messages of one group or customer are processed in the order of these calls. While a
   * server is away it waits, and with it everything behind it.
   * @returns whether the message is an order; it then is committed
   * @throws the reason of `signal`: nothing is known of the message
   */
  process(message: QueueMessage): Promise<Outcome>
}

/** The part of a bridge that knows no queue: reads messages, and places their orders as the orders API does. */
export function createIntake(options: IntakeOptions): Intake {
  const { source, place, avro, attempts, log, signal, retryMs = 5_000 } = options
  const turns = new Turns()
  const works = new SideBySide()

  const retrying = async <T>(id: string | undefined, attempt: () => Promise<T>): Promise<T> => {
    for (let failures = 1; ; failures++) {
      signal.throwIfAborted()
      try {
        return await attempt()
      } catch (error) {
        if (!isCondition(error) && failures >= maxAttempts) throw error
        const waitMs = Math.min(retryMs, 50 * 2 ** Math.min(failures, 10))
        log.warn({ messageId: id, error: describeError(error), waitMs }, 'a message waits')
        await delay(waitMs, undefined, { signal }).catch(() => {})
      }
    }
  }

  const store = async (
    message: QueueMessage,
    order: Parameters<PlaceOrder>[0]['order'],
    id: string,
  ): Promise<Outcome> => {
    const reply = await retrying(id, () =>
      place({
        order,
        idempotency: idempotencyOf(messageName(id), source, 'placeOrder', order),
        traceparent: message.traceparent,
        span: `${source} receive`,
      }),
    )
    if (reply.status === 201) return { kind: 'placed', orderId: (reply.body as { orderId: string }).orderId }
    return { kind: 'refused', problem: reply.status === 409 ? otherOrder : reply }
  }

  const refusing = async (message: QueueMessage, work: () => Promise<Outcome>): Promise<Outcome> => {
    try {
      return await work()
    } catch (error) {
      if (signal.aborted) throw signal.reason
      log.error({ messageId: message.id, error: describeError(error), stack: stackOf(error) }, 'a message failed')
      return { kind: 'refused', problem: problem(500, 'An internal error occurred.') }
    }
  }

  const read = (message: QueueMessage) => retrying(message.id, () => readOrder(message, avro))

  const processInGroup = async (message: QueueMessage): Promise<Outcome> => {
    const { order, id, refusal } = await read(message)
    return refusal ? { kind: 'refused', problem: refusal } : store(message, order, id)
  }

  const processOfCustomer = async (message: QueueMessage): Promise<Outcome> => {
    // Whose order it is shows only once it is read: all are read in turn, so that no later one overtakes it
    const { order, id, refusal } = await turns.take(reading, () => read(message))
    if (refusal) return { kind: 'refused', problem: refusal }
    return turns.take(`customer ${order.customerId}`, () => store(message, order, id))
  }

  const make = async (message: QueueMessage): Promise<Outcome> => {
    signal.throwIfAborted() // While it waited
    const { group } = message
    if (group === undefined) return processOfCustomer(message)
    return turns.take(`group ${group}`, () => processInGroup(message))
  }

  /** The note of the attempt is stored before it begins and deleted after it: it stays only if the bridge ends in between. */
  const makeAlone = async (message: QueueMessage): Promise<Outcome> => {
    const key = hash('sha256', `${source} ${message.id ?? hash('sha256', message.body)}`)
    const unended = await retrying(message.id, () => attempts.begin(key))
    if (unended >= maxUnended) return { kind: 'refused', problem: poison(unended) }
    try {
      return await make(message)
    } finally {
      await attempts.end(key).catch((error: unknown) => {
        log.warn({ messageId: message.id, error: describeError(error) }, 'an attempt counts although it has ended')
      })
    }
  }

  return {
    async process(message) {
      signal.throwIfAborted()
      return refusing(message, () =>
        message.deliveries > maxDeliveries
          ? works.alone(() => makeAlone(message))
          : works.together(() => make(message)),
      )
    },
  }
}

const reading = 'reading'

/** Whether the message is not at fault: a server is away, refuses access, or is not deployed as this code expects. */
const isCondition = (error: unknown): boolean =>
  isTallyError(error) ? error.retryable || error.code === 'DENIED' : isStatementError(error) && !isDataError(error)

const otherOrder: Reply = problem(409, 'This message id was used for another order. Use a new id for each order.')

const poison = (attempts: number): Reply =>
  problem(500, `The bridge ended ${attempts} times while it worked on this message and on no other.`)
