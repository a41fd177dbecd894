import type { EventData, EventType, OrderPlaced, StockLine } from '../../schemas/generated/events.ts'
import { demoCatalogue } from './demo-catalogue.ts'
import type { Article } from './demo-catalogue.ts'
import { orderGenerator } from './order-generator.ts'
import { seededId, seededRandom } from './seeded.ts'
import type { Random } from './seeded.ts'

/** An event of a script: its data, and the id that makes a repeat a duplicate. */
export type Event = { [T in EventType]: { type: T; id: string; data: EventData[T] } }[EventType]

export interface GenerateOptions {
  count: number
  seed: number
  /** The order of all events, or the article for deliveries. */
  key?: string
}

/** Generates events of one type lazily. The n-th event of a seed belongs to the n-th order of that seed, or the n-th article. */
export function* generateEvents(type: EventType, { count, seed, key }: GenerateOptions): Generator<Event> {
  const generate = eventGenerator(type, seed)
  for (let index = 0; index < count; index++) yield generate(index, key)
}

/** The events of a type and seed, by index. A pure function: the same arguments give the same event with the same id. */
export function eventGenerator(type: EventType, seed: number): (index: number, key?: string) => Event {
  const orderAt = orderGenerator(seed)
  const catalogue = demoCatalogue()
  return (index, key) => {
    const data: EventData[EventType] = generators[type](factsOf(orderAt(index), seed, index, catalogue))
    const aimed = key === undefined ? data : 'sku' in data ? { ...data, sku: key } : { ...data, orderId: key }
    // The union of pairs cannot be inferred through the table above
    return { type, id: seededId(type, seed, index, ...(key === undefined ? [] : [key])), data: aimed } as Event
  }
}

/** The data of the events of one order. */
interface Facts {
  order: OrderPlaced
  /** Common to all events of the order. */
  about: { orderId: string }
  money: { amountMinor: number; currency: string }
  stock: StockLine[]
  article: Article
  authorizationId: string
  /** Some time after the order was placed, UTC epoch ms. */
  at: number
  random: Random
}

function factsOf(order: OrderPlaced, seed: number, index: number, catalogue: readonly Article[]): Facts {
  const random = seededRandom('event', seed, index)
  const { orderId, totalMinor, currency, placedAt } = order
  return {
    order,
    about: { orderId },
    money: { amountMinor: totalMinor, currency },
    stock: order.lines.map(({ sku, quantity }) => ({ sku, quantity })),
    article: catalogue[index % catalogue.length] as Article,
    authorizationId: `auth_${seededId('authorization', seed, index)}`,
    at: placedAt + random.int(200, 90_000),
    random,
  }
}

const hour = 3_600_000

const generators: { [T in EventType]: (facts: Facts) => EventData[T] } = {
  OrderPlaced: ({ order }) => order,
  CancellationRequested: ({ about, at, random }) => ({
    ...about,
    reason: random.pick([
      'Ordered twice',
      'Found it cheaper',
      'No longer needed',
      'Wrong size',
      'Delivery takes too long',
    ]),
    requestedAt: at,
  }),
  PaymentAuthorized: ({ about, money, authorizationId, at }) => ({
    ...about,
    ...money,
    authorizationId,
    authorizedAt: at,
  }),
  PaymentDeclined: ({ about, at, random }) => ({
    ...about,
    reason: random.pick(['insufficient_funds', 'card_expired', 'suspected_fraud']),
    declinedAt: at,
  }),
  PaymentVoided: ({ about, authorizationId, at }) => ({ ...about, authorizationId, voidedAt: at }),
  PaymentCaptured: ({ about, money, authorizationId, at }) => ({
    ...about,
    ...money,
    captureId: authorizationId.replace('auth', 'capt'),
    authorizationId,
    capturedAt: at,
  }),
  StockReserved: ({ about, stock, at }) => ({ ...about, lines: stock, reservedAt: at }),
  StockRejected: ({ about, stock, at, random }) => ({
    ...about,
    shortages: stock
      .slice(0, 1)
      .map(({ sku, quantity }) => ({ sku, requested: quantity, available: random.int(0, quantity - 1) })),
    rejectedAt: at,
  }),
  StockReleased: ({ about, stock, at }) => ({ ...about, lines: stock, releasedAt: at }),
  ShipmentScheduled: ({ about, at, random }) => {
    const trackingNumber = `TL${random.int(1_000_000_000, 9_999_999_999)}`
    return {
      ...about,
      carrier: random.pick(['Northline', 'Parcelwise', 'Velo Express']),
      trackingNumber,
      labelUrl: `https://labels.example/${trackingNumber}.pdf`,
      pickupFrom: at + 12 * hour,
      pickupUntil: at + 16 * hour,
      scheduledAt: at,
    }
  },
  FulfilmentCancelled: ({ about, at, random }) => ({
    ...about,
    ...random.pick([
      { reason: 'requested', detail: 'The customer cancelled the order' },
      { reason: 'carrier_refused', detail: 'The carrier does not serve this address' },
    ]),
    cancelledAt: at,
  }),
  CancellationRefused: ({ about, at, random }) => ({
    ...about,
    reason: random.pick(['already_shipping', 'already_ended']),
    refusedAt: at,
  }),
  StockReplenished: ({ article, at }) => ({ sku: article.sku, quantity: article.initialStock, replenishedAt: at }),
}
