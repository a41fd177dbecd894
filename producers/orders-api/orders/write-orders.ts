import { sealEvent } from '../../../schemas/personal-data.ts'
import { cancellation, cancellationRequest, header, newOrder, path, placedOrder } from '../http/contract.ts'
import { mayKnow } from '../http/caller.ts'
import { operation } from '../http/operation.ts'
import type { Operation } from '../http/operation.ts'
import { problem } from '../http/reply.ts'
import type { Reply } from '../http/reply.ts'
import { findKnown } from './find-known.ts'
import { idempotencyOf } from './idempotency.ts'
import { cancellationOpen } from './order-book.ts'
import { onceOnly } from './placing/once-only.ts'
import type { OrderReader } from './order-reader.ts'
import { createPlaceOrder } from './placing/place-order.ts'
import type { PlaceDeps } from './placing/place-order.ts'
import { inTrace } from './request-spans.ts'
import { toEvent } from './to-event.ts'

export interface WriteDeps extends PlaceDeps {
  reader: Pick<OrderReader, 'find' | 'customerOf' | 'timeline'>
  /** How often the cancellation of an order was requested. */
  countRequests(orderId: string): Promise<number>
}

/** The operations that write events: place and cancel an order. */
export function writeOperations({ reader, countRequests, ...placing }: WriteDeps): Operation[] {
  const { book, findKey, encoder, keyOf, spans } = placing
  const place = createPlaceOrder(placing)

  /** How many requests shipping has refused; each refusal answers one. */
  const countRefusals = async (orderId: string, requests: number): Promise<number> => {
    if (requests === 0) return 0
    const entries = (await reader.timeline(new Map([[orderId, 0]]))).get(orderId) ?? []
    return entries.filter(({ type }) => type === 'CancellationRefused').length
  }

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
      return place({ order: body, idempotency, traceparent, span: 'POST /orders' })
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
      409: {
        description:
          'The order has ended, a cancellation is open already, or the Idempotency-Key was used for another request',
      },
    },
    handle: ({ path: { id: orderId }, header: { 'idempotency-key': key, traceparent }, body: { reason } }, caller) => {
      const idempotency =
        key === undefined ? undefined : idempotencyOf(key, caller.subject, 'cancelOrder', { orderId, reason })
      return onceOnly(idempotency, findKey, async () => {
        const order = await findKnown(reader, orderId, caller)
        if (!order) return noSuchOrder(orderId)
        if (order.endedAt) return problem(409, `The order is already ${order.status}.`)
        const before = await countRequests(orderId)
        if (before > (await countRefusals(orderId, before))) return cancellationOpen(orderId)
        const customerId = order.customerId ?? (await reader.customerOf(orderId))
        const sealing = customerId === null ? undefined : await keyOf(customerId)
        const requestedAt = Date.now()
        // Words of a customer who is not known yet cannot be sealed, so they are left out
        const request = { orderId, reason: sealing ? reason : '', requestedAt }
        const event = sealing ? sealEvent(sealing, 'CancellationRequested', request) : request
        const write = async (trace: string | undefined) =>
          book.write({
            event: toEvent(await encoder(), 'CancellationRequested', event, { time: requestedAt, traceparent: trace }),
            ...(sealing && { key: sealing }),
            cancellation: { orderId, before },
            idempotency,
            reply: { status: 202, body: { orderId, requestedAt: new Date(requestedAt).toISOString() } },
          })
        return inTrace(spans, { name: 'POST /orders/{id}/cancellation', orderId, incoming: traceparent }, write)
      })
    },
  })

  return [placeOrder, cancelOrder]
}

export const noSuchOrder = (orderId: string): Reply => problem(404, `There is no order ${orderId}.`)
