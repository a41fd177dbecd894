import type { SealingKey } from '../../../../infra/security/sealed-text.ts'
import type { Encode } from '../../../../schemas/codec/encoder.ts'
import { newEventId } from '../../../../schemas/event-id.ts'
import type { OrderPlaced } from '../../../../schemas/generated/events.ts'
import { sealEvent } from '../../../../schemas/personal-data.ts'
import type { NewOrder } from '../../http/contract.ts'
import { problem } from '../../http/reply.ts'
import type { Reply } from '../../http/reply.ts'
import type { Catalogue } from '../catalogue.ts'
import type { Idempotency, KeyedReply } from '../idempotency.ts'
import { onceOnly } from './once-only.ts'
import type { OrderBook } from '../order-book.ts'
import { priceOrder } from './price-order.ts'
import { inTrace } from '../request-spans.ts'
import type { RequestSpans } from '../request-spans.ts'
import { toEvent } from '../to-event.ts'

export interface PlaceDeps {
  book: Pick<OrderBook, 'write'>
  catalogue: Pick<Catalogue, 'find'>
  /** The earlier reply of a key. */
  findKey(key: string): Promise<KeyedReply | undefined>
  encoder(): Promise<Encode>
  /** The key of a customer's personal data. */
  keyOf(customerId: string): Promise<SealingKey>
  /** Puts requests into the traces of their orders. @default events keep the trace context of the request */
  spans?: RequestSpans | undefined
}

/** A valid order, whichever way it came. */
export interface OrderRequest {
  order: NewOrder
  idempotency: Idempotency | undefined
  traceparent: string | undefined
  /** Name of its span. */
  span: string
}

/**
 * Prices and stores an order with its event.
 * @returns 201 once both are committed; 422 if an article cannot be sold; 409 if the key was used for another order
 * @throws TallyError UNREACHABLE when the database does not answer or is too busy: the outcome is then unknown
 */
export type PlaceOrder = (request: OrderRequest) => Promise<Reply>

/** The one way to an order: what a door adds is where the request comes from and who may send it. */
export const createPlaceOrder =
  ({ book, catalogue, findKey, encoder, keyOf, spans }: PlaceDeps): PlaceOrder =>
  ({ order: wanted, idempotency, traceparent, span }) =>
    onceOnly(idempotency, findKey, async () => {
      const priced = priceOrder(wanted, await catalogue.find(wanted.lines.map(({ sku }) => sku)))
      if (priced.errors) return problem(422, 'The order cannot be accepted.', { errors: priced.errors })
      const placedAt = Date.now()
      const key = await keyOf(wanted.customerId)
      const order: OrderPlaced = sealEvent(key, 'OrderPlaced', {
        ...{ orderId: newEventId(placedAt), ...wanted, ...priced, placedAt },
      })
      const write = async (trace: string | undefined) =>
        book.write({
          event: toEvent(await encoder(), 'OrderPlaced', order, { time: placedAt, traceparent: trace }),
          order,
          key,
          idempotency,
          reply: accepted(order),
        })
      return inTrace(spans, { name: span, orderId: order.orderId, incoming: traceparent }, write)
    })

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
