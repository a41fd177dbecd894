import type { Kafka } from 'kafkajs'
import { ApiClient, newOrderOf } from '../../producers/direct/api-client.ts'
import type { Article } from '../../producers/sample-data/demo-catalogue.ts'
import { orderGenerator } from '../../producers/sample-data/order-generator.ts'
import { Publisher } from '../../producers/direct/publisher.ts'
import type { OutgoingEvent } from '../../producers/direct/publisher.ts'
import { seededId, seededRandom, zipf } from '../../producers/sample-data/seeded.ts'
import type { Random } from '../../producers/sample-data/seeded.ts'
import { sendAll } from '../../producers/direct/send-all.ts'
import type { Codec } from '../../schemas/codec/codec.ts'
import { laneOf } from '../../schemas/partition.ts'
import { MalformedRecords } from './malformed.ts'
import type { Mailbox } from './queues/mailbox.ts'

export interface LoadOptions {
  kafka: Kafka
  codec: Codec
  namespace: string
  partitions: number
  apiUrl: string
  /** Queues that get part of the orders of the API. */
  mailboxes: readonly Mailbox[]
  articles: readonly Article[]
  seed: number
  /** Orders per second. */
  rate: number
  signal: AbortSignal
}

/** Counts of what was sent so far. */
export interface Sent {
  orders: number
  duplicates: number
  malformed: number
  conflicting: number
  cancellations: number
  /** Orders that are published hours after they were placed, and after their own cancellation. */
  late: number
}

export function nothingSent(): Sent {
  return { orders: 0, duplicates: 0, malformed: 0, conflicting: 0, cancellations: 0, late: 0 }
}

/** Share of each kind of other input per order. */
const shares = { duplicate: 0.02, malformed: 0.01, conflicting: 0.01, cancellation: 0.04, late: 0.01 } as const
/** Share of orders that go through the API; the others go to Kafka directly. */
const apiShare = 0.3
/** Share of the orders of the API that go through a queue, where there is one, and of what else is sent there. */
const queueShares = { order: 0.7, duplicate: 0.1, nonsense: 0.05 } as const

/**
 * Sends orders at a rate until `signal` aborts, with repeats, malformed records, second orders under one id and cancellations,
 * some of them late, as the seed decides. Requests in flight are completed.
 */
export async function runLoad(options: LoadOptions, sent: Sent): Promise<void> {
  const { kafka, codec, namespace, partitions, apiUrl, mailboxes, articles, seed, rate, signal } = options
  const orderAt = orderGenerator(seed, articles)
  const api = new ApiClient({ url: apiUrl })
  const publisher = await Publisher.connect({ kafka, namespace, codec, source: '/tally/chaos', giveUpAfterMs: 300_000 })
  const malformed = await MalformedRecords.connect(kafka)
  const recent = zipf(500, 1.1)
  const older = (index: number, random: Random) => Math.max(0, index - 1 - recent(random))
  const placed = (index: number, variant = 0): OutgoingEvent => ({
    type: 'OrderPlaced',
    id: seededId('chaos', seed, index, variant),
    data: variant === 0 ? orderAt(index) : { ...orderAt(index + variant * 1_000_000), orderId: orderAt(index).orderId },
  })
  const cancelled = (name: number | string, orderId: string): OutgoingEvent => ({
    type: 'CancellationRequested',
    id: seededId('chaos-cancel', seed, name),
    data: { orderId, reason: 'chaos', requestedAt: Date.now() },
  })
  const viaApi = (index: number) => seededRandom('chaos-way', seed, index).next() < apiShare
  const orderIds = new Map<number, string>() // Ids that the API assigned, by number of the order

  /** The queue through which an order of the API goes. */
  const mailboxOf = (index: number): Mailbox | undefined => {
    const random = seededRandom('chaos-mailbox', seed, index)
    return mailboxes.length > 0 && random.next() < queueShares.order ? random.pick(mailboxes) : undefined
  }
  const post = async (box: Mailbox, index: number, random: Random): Promise<void> => {
    const order = newOrderOf(orderAt(index))
    const message = { id: seededId('chaos', seed, index), group: order.customerId, body: JSON.stringify(order) }
    box.orders.add(message.id)
    await box.send(message)
    if (random.next() < queueShares.duplicate) await box.send(message)
    if (random.next() >= queueShares.nonsense) return
    const nonsense = { id: seededId('chaos-nonsense', seed, index), group: order.customerId, body: 'two cups of tea' }
    box.nonsense.add(nonsense.id)
    await box.send(nonsense)
  }

  const act = async (index: number): Promise<void> => {
    const random = seededRandom('chaos-load', seed, index)
    const happens = (share: number) => random.next() < share
    const box = viaApi(index) ? mailboxOf(index) : undefined
    if (box) await post(box, index, random)
    else if (viaApi(index)) {
      const { orderId } = await untilAnswered(() =>
        api.placeOrder(newOrderOf(orderAt(index)), `chaos-${seed}-${index}`),
      )
      orderIds.set(index, orderId)
    } else if (happens(shares.late)) {
      const time = Date.now() - random.int(1, 48) * 3_600_000
      await publisher.publish([cancelled(index, orderAt(index).orderId), { ...placed(index), time }])
      sent.late++
    } else await publisher.publish([placed(index)])
    sent.orders++
    const earlier = older(index, random)
    if (happens(shares.duplicate) && !viaApi(earlier)) {
      await publisher.publish([placed(earlier)])
      sent.duplicates++
    }
    if (happens(shares.conflicting) && !viaApi(earlier)) {
      await publisher.publish([placed(earlier, 1)])
      sent.conflicting++
    }
    if (happens(shares.cancellation)) {
      const orderId = viaApi(earlier) ? orderIds.get(earlier) : orderAt(earlier).orderId
      await publisher.publish([cancelled(`later-${index}`, orderId ?? orderAt(index).orderId)])
      sent.cancellations++
    }
    if (happens(shares.malformed)) {
      const { orderId: key } = orderAt(happens(0.5) ? earlier : index)
      const topic = random.pick(['orders', 'payments', 'inventory', 'shipping'])
      await malformed.send({ topic: `${namespace}${topic}`, key, partition: laneOf(key, partitions), random })
      sent.malformed++
    }
  }
  try {
    await sendAll(indexes(signal), act, { maxOutstanding: 300, rate, signal })
  } finally {
    await Promise.all([publisher.stop(), malformed.stop()])
  }
}

function* indexes(signal: AbortSignal): Generator<number> {
  for (let index = 0; !signal.aborted; index++) yield index
}

/** Repeats a request with the same idempotency key until it is answered. */
async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await ask()
    } catch (error) {
      if (failures >= 30) throw error
    }
  }
}
