import { z } from 'zod'
import { limits } from '../../../schemas/validate.ts'

/**
 * The HTTP interface in zod: the same schemas validate requests and generate the OpenAPI document. Unknown keys are refused.
 * int64 values (amounts, offsets) are strings, because a JSON number is a double to many readers.
 */
const text = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .regex(/^(?=.*\S)[^\p{Cc}\p{Cs}]*$/u, 'must have a visible character and no control characters')
const textOrNone = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not have control characters')

const orderId = text(limits.idLength)
const sku = text(limits.idLength)
const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be three capital letters')
  .meta({ description: 'ISO 4217 code', example: 'EUR' })
/** Small enough that the total of the largest order fits into a double. */
const unitPriceMinor = z
  .string()
  .regex(/^[1-9]\d{0,8}$/, 'must be a whole number of minor units as a string, 1 to 999999999')
  .meta({ description: 'Price of one unit in minor units of the currency', example: '450' })
const amountMinor = z.string().regex(/^\d+$/).meta({ description: 'Minor units of the currency', example: '900' })
const time = z.iso.datetime().meta({ description: 'UTC, ISO 8601' })

export const newOrder = z
  .strictObject({
    customerId: text(limits.idLength),
    currency,
    lines: z
      .array(z.strictObject({ sku, quantity: z.int().min(1).max(10_000) }))
      .min(1)
      .max(100)
      .meta({ description: 'Articles of the catalogue, each at most once' }),
    shipTo: z.strictObject({
      recipient: text(200),
      street: text(200),
      city: text(200),
      postalCode: textOrNone(20).meta({ description: 'Empty if the country has none' }),
      country: text(100),
    }),
    paymentMethod: z
      .string()
      .regex(/^(?!\d+$)[\w-]{1,128}$/, 'must be a token of the payment gateway, not a card number')
      .optional()
      .meta({
        description:
          'Token of the payment gateway; without it, the method on file. The simulated gateway knows card_test_accepted and card_test_declined',
      }),
  })
  .meta({ id: 'NewOrder' })
export type NewOrder = z.infer<typeof newOrder>

export const placedOrder = z
  .object({ orderId, status: z.literal('placed'), currency, totalMinor: amountMinor, placedAt: time })
  .meta({ id: 'PlacedOrder' })

export const cancellation = z.strictObject({ reason: text(500) }).meta({ id: 'Cancellation' })

export const cancellationRequest = z.object({ orderId, requestedAt: time }).meta({ id: 'CancellationRequest' })

export const timelineEntry = z
  .object({
    seq: z.int().meta({ description: '1, 2, 3 … per order' }),
    eventId: z.string(),
    type: z.string().meta({ example: 'PaymentAuthorized' }),
    time,
    topic: z.string().nullable(),
    partition: z.int().nullable(),
    offset: z.string().nullable(),
    summary: z.string(),
  })
  .meta({
    id: 'TimelineEntry',
    description: 'An event of the order; entries are in the order in which the projection received them',
  })
export type TimelineEntry = z.infer<typeof timelineEntry>

const shipment = z
  .object({ carrier: z.string(), trackingNumber: z.string(), pickupFrom: time, pickupUntil: time })
  .meta({ id: 'Shipment', description: 'The label can be had at /orders/{id}/label' })

export const orderStatus = z
  .object({
    orderId,
    status: z.enum(['placed', 'authorized', 'reserved', 'ready', 'shipping', 'completed', 'cancelled', 'rejected']),
    reason: z.string().nullable().meta({ description: 'Code of the reason why it was cancelled or rejected' }),
    customerId: z
      .string()
      .nullable()
      .meta({ description: 'Null, like all fields of OrderPlaced, until that event has been seen' }),
    currency: currency.nullable(),
    totalMinor: amountMinor.nullable(),
    placedAt: time.nullable(),
    updatedAt: time,
    shipment: shipment.nullable().meta({ description: 'Set once the carrier has agreed to pick the order up' }),
    endedAt: time.nullable().meta({ description: 'Set once the order is completed, cancelled or rejected' }),
  })
  .meta({ id: 'OrderStatus' })
export type OrderStatus = z.infer<typeof orderStatus>

export const order = orderStatus.extend({ timeline: z.array(timelineEntry) }).meta({ id: 'Order' })

export const newProduct = z.strictObject({ name: text(200), unitPriceMinor, currency }).meta({ id: 'NewProduct' })

export const product = z.object({ sku, name: z.string(), unitPriceMinor, currency }).meta({ id: 'Product' })
export type Product = z.infer<typeof product>

export const productPage = z
  .object({
    items: z.array(product),
    next: sku.nullable().meta({ description: 'Pass it as `after` to get the next page; null on the last page' }),
  })
  .meta({ id: 'ProductPage' })

export const stockLevel = z
  .object({ sku, onHand: z.string().regex(/^\d+$/).meta({ description: 'Units that the next orders can have' }) })
  .meta({ id: 'StockLevel' })
export type StockLevel = z.infer<typeof stockLevel>

export const stockPage = z
  .object({
    items: z.array(stockLevel),
    next: sku.nullable().meta({ description: 'Pass it as `after` to get the next page; null on the last page' }),
  })
  .meta({ id: 'StockPage' })

export const readiness = z
  .object({
    ready: z.literal(true),
    outbox: z.object({
      waitingLanes: z.int().meta({ description: 'Lanes with events that are not published yet' }),
      oldestMs: z.int().meta({ description: 'Age of the oldest of them' }),
    }),
    leases: z.object({ own: z.array(z.int()), others: z.array(z.int()), free: z.array(z.int()) }).meta({
      description: 'Lanes by publisher: this replica, another replica, none',
    }),
  })
  .meta({ id: 'Readiness' })
export type Readiness = z.infer<typeof readiness>

export const problemBody = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    errors: z
      .array(z.object({ path: z.string().meta({ example: '/lines/0/sku' }), message: z.string() }))
      .optional()
      .meta({ description: 'The faults by place: a JSON pointer into the body, or query/…, header/…, path/…' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details' })

export const path = { orderId: z.object({ id: orderId }), sku: z.object({ sku }) }

export const query = {
  page: z.object({
    after: sku.optional().meta({ description: 'The last SKU of the page before' }),
    limit: z.coerce.number().int().min(1).max(1_000).default(100),
  }),
}

const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters')
  .optional()
  .meta({
    description: 'Makes retries safe: the same key with the same body gets the same answer, with another body 409',
  })

export const header = {
  once: z.object({
    'idempotency-key': idempotencyKey,
    traceparent: z.string().optional().meta({ description: 'W3C trace context, passed on to the events' }),
  }),
  resume: z.object({
    'last-event-id': z
      .string()
      .regex(/^\d{1,9}$/, 'must be the seq of an entry')
      .optional()
      .meta({ description: 'seq of the last entry received' }),
  }),
}
