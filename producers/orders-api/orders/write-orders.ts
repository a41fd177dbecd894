import type { Encode } from '../../../schemas/codec/encoder.ts'
import { toHeaders } from '../../../schemas/envelope.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import type { EventData, OrderPlaced } from '../../../schemas/generated/events.ts'
import { topicOf } from '../../../schemas/topics.ts'
import type { UnnumberedEvent } from '../../outbox/outbox-batch.ts'
import type { Catalogue } from './catalogue.ts'
import { cancellation, cancellationRequest, header, newOrder, path, placedOrder } from '../http/contract.ts'
import { idempotencyOf, repeat } from './idempotency.ts'
import type { Idempotency, KeyedReply } from './idempotency.ts'
import { mayKnow } from '../http/caller.ts'
import { findKnown } from './find-known.ts'
import { operation } from '../http/operation.ts'
import type { Operation } from '../http/operation.ts'
import type { OrderBook } from './order-book.ts'
import type { OrderReader } from './order-reader.ts'
import { priceOrder } from './price-order.ts'
import type { RequestSpans } from './request-spans.ts'
import { problem } from '../http/reply.ts'
import type { Reply } from '../http/reply.ts'

export interface WriteDeps {
  book: Pick<OrderBook, 'write'>
  catalogue: Pick<Catalogue, 'find'>
  reader: Pick<OrderReader, 'find' | 'customerOf'>
  /** The earlier reply of a key. */
  findKey(key: string): Promise<KeyedReply | undefined>
  encoder(): Promise<Encode>
  /** Puts requests into the traces of their orders. @default events keep the trace context of the request */
  spans?: RequestSpans
}

/** The operations that write events: place and cancel an order. */
export function writeOperations({ book, catalogue, reader, findKey, encoder, spans }: WriteDeps): Operation[] {
  /** A repeat may be refused only because of events since the first request: then the first reply applies. */
  const onceOnly = async (idempotency: Idempotency | undefined, attempt: () => Promise<Reply>): Promise<Reply> => {
    const reply = await attempt()
    if (!idempotency || reply.status < 400) return reply
    const first = await findKey(idempotency.key)
    return first ? repeat(first, idempotency) : reply
  }

  const traced = (
    name: string,
    orderId: string,
    incoming: string | undefined,
    write: (traceparent: string | undefined) => Promise<Reply>,
  ): Promise<Reply> => spans?.during({ name, orderId, incoming }, write) ?? write(incoming)

  const placeOrder = operation({
    method: 'post',
    access: ['orders:own', 'orders:any'],
    path: '/orders',
    id: 'placeOrder',
    summary: 'Place an order',
    description: 'Prices are those of the catalogue. The order and its event are stored before the answer is sent.',
    request: { header: header.once, body: newOrder },
    answers: {
      201: { description: 'The order is accepted; Location says where to follow it', body: placedOrder },
      403: { description: 'The order is for another customer' },
      409: { description: 'The Idempotency-Key was used for another order' },
      422: { description: 'An article is unknown, listed twice or sold in another currency' },
    },
    handle: ({ header: { 'idempotency-key': key, traceparent }, body }, caller) => {
      if (!mayKnow(caller, body.customerId))
        return problem(403, 'An order for another customer needs a token with the scope orders:any.')
      const idempotency = key === undefined ? undefined : idempotencyOf(key, caller.subject, 'placeOrder', body)
      return onceOnly(idempotency, async () => {
        const priced = priceOrder(body, await catalogue.find(body.lines.map(({ sku }) => sku)))
        if (priced.errors) return problem(422, 'The order cannot be accepted.', { errors: priced.errors })
        const placedAt = Date.now()
        const { customerId, currency, shipTo } = body
        const order: OrderPlaced = { orderId: newEventId(placedAt), customerId, currency, ...priced, shipTo, placedAt }
        const write = async (trace: string | undefined) =>
          book.write({
            event: toEvent(await encoder(), 'OrderPlaced', order, { time: placedAt, traceparent: trace }),
            order,
            idempotency,
            reply: accepted(order),
          })
        return traced('POST /orders', order.orderId, traceparent, write)
      })
    },
  })

  const cancelOrder = operation({
    method: 'post',
    access: ['orders:own', 'orders:any'],
    path: '/orders/{id}/cancellation',
    id: 'cancelOrder',
    summary: 'Request the cancellation of an order',
    description: 'Whether the cancellation is in time is decided later: follow the order.',
    request: { path: path.orderId, header: header.once, body: cancellation },
    answers: {
      202: { description: 'The request is stored', body: cancellationRequest },
      404: { description: 'No such order' },
      409: { description: 'The order has ended, or the Idempotency-Key was used for another request' },
    },
    handle: ({ path: { id: orderId }, header: { 'idempotency-key': key, traceparent }, body: { reason } }, caller) => {
      const idempotency =
        key === undefined ? undefined : idempotencyOf(key, caller.subject, 'cancelOrder', { orderId, reason })
      return onceOnly(idempotency, async () => {
        const order = await findKnown(reader, orderId, caller)
        if (!order) return noSuchOrder(orderId)
        if (order.endedAt) return problem(409, `The order is already ${order.status}.`)
        const requestedAt = Date.now()
        const event = { orderId, reason, requestedAt }
        const write = async (trace: string | undefined) =>
          book.write({
            event: toEvent(await encoder(), 'CancellationRequested', event, { time: requestedAt, traceparent: trace }),
            idempotency,
            reply: { status: 202, body: { orderId, requestedAt: new Date(requestedAt).toISOString() } },
          })
        return traced('POST /orders/{id}/cancellation', orderId, traceparent, write)
      })
    },
  })

  return [placeOrder, cancelOrder]
}

export const noSuchOrder = (orderId: string): Reply => problem(404, `There is no order ${orderId}.`)

const accepted = ({ orderId, currency, totalMinor, placedAt }: OrderPlaced): Reply => ({
  status: 201,
  headers: { location: `/orders/${orderId}` },
  body: {
    orderId,
    status: 'placed',
    currency,
    totalMinor: String(totalMinor),
    placedAt: new Date(placedAt).toISOString(),
  },
})

function toEvent<T extends 'OrderPlaced' | 'CancellationRequested'>(
  encode: Encode,
  type: T,
  data: EventData[T],
  { time, traceparent }: { time: number; traceparent: string | undefined },
): UnnumberedEvent {
  const { orderId } = data
  const id = newEventId(time)
  const headers = toHeaders({
    id,
    type,
    source: '/tally/orders-api',
    time,
    subject: orderId,
    correlationId: orderId,
    // W3C Trace Context: ignore a malformed one
    traceparent: /^00-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/.test(traceparent ?? '') ? traceparent : undefined,
  })
  return { eventId: id, topic: topicOf(type).name, key: orderId, headers, value: encode(type, data) }
}
