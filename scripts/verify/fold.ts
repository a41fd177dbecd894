import type { EventData, EventType } from '../../schemas/generated/events.ts'

/**
 * The state that the events of all topics add up to, computed independently of the services and as simply as possible:
 * it has no state machine, only sets of events, so the order of events between topics does not matter.
 */
export interface Fold {
  readonly orders: ReadonlyMap<string, OrderFacts>
  /** Units delivered to the warehouse, by SKU. */
  readonly replenished: ReadonlyMap<string, number>
  /** Adds an event. Call it once per event id, however often the event was published. */
  take(event: FoldEvent): void
}

/** `recordedAt` is the time of its record, UTC epoch ms. */
export type FoldEvent = {
  [T in EventType]: { id: string; source?: string; recordedAt?: number; type: T; data: EventData[T] }
}[EventType]

export type FinalState = 'completed' | 'cancelled' | 'rejected'

/** Everything the topics hold about one order. */
export interface OrderFacts {
  /** Distinct events by type. */
  readonly counts: Map<EventType, number>
  /** Its OrderPlaced events; exactly one is expected. */
  readonly placed: { id: string; source?: string; recordedAt?: number; totalMinor: number; currency: string }[]
  /** Authorized amounts in minor units, by authorization id. */
  readonly authorized: Map<string, number>
  readonly voided: Set<string>
  readonly captured: EventData['PaymentCaptured'][]
  /** Reasons of its FulfilmentCancelled events; at most one is expected. */
  readonly cancelledFor: string[]
  /** The lines that inventory reserved. */
  reserved: readonly { sku: string; quantity: number }[]
}

export interface StockFacts {
  replenished: number
  reserved: number
  shipped: number
}

export function createFold(): Fold {
  const orders = new Map<string, OrderFacts>()
  const replenished = new Map<string, number>()
  const factsOf = (orderId: string) => {
    const facts: OrderFacts = orders.get(orderId) ?? {
      counts: new Map(),
      placed: [],
      authorized: new Map(),
      voided: new Set(),
      captured: [],
      cancelledFor: [],
      reserved: [],
    }
    orders.set(orderId, facts)
    return facts
  }
  return {
    orders,
    replenished,
    take({ id, source, recordedAt, type, data }) {
      if (type === 'StockReplenished') {
        replenished.set(data.sku, (replenished.get(data.sku) ?? 0) + data.quantity)
        return
      }
      if (!('orderId' in data)) return // Events of the catalogue concern no order
      const facts = factsOf(data.orderId)
      facts.counts.set(type, (facts.counts.get(type) ?? 0) + 1)
      if (type === 'OrderPlaced') {
        const { totalMinor, currency } = data
        facts.placed.push({ id, source, recordedAt, totalMinor, currency })
      } else if (type === 'PaymentAuthorized') facts.authorized.set(data.authorizationId, data.amountMinor)
      else if (type === 'PaymentVoided') facts.voided.add(data.authorizationId)
      else if (type === 'PaymentCaptured') facts.captured.push(data)
      else if (type === 'FulfilmentCancelled') facts.cancelledFor.push(data.reason)
      else if (type === 'StockReserved') facts.reserved = data.lines
    },
  }
}

/** The final state of an order, from the set of its events alone; undefined while it is pending. */
export function finalStateOf({ counts }: Pick<OrderFacts, 'counts'>): FinalState | undefined {
  if (counts.has('PaymentCaptured')) return 'completed'
  if (counts.has('FulfilmentCancelled')) return 'cancelled'
  if (counts.has('PaymentDeclined') || counts.has('StockRejected')) return 'rejected'
  return undefined
}

/** Whether the order's reservation is open, was shipped, was released, or never existed. */
export function reservationOf({ counts }: Pick<OrderFacts, 'counts'>): 'none' | 'open' | 'shipped' | 'released' {
  if (!counts.has('StockReserved')) return 'none'
  if (counts.has('ShipmentScheduled')) return 'shipped'
  return counts.has('StockReleased') ? 'released' : 'open'
}

/**
 * Stock by SKU. On hand = replenished - reserved - shipped.
 * @param instead the reservation of an order that its events do not tell; undefined: they do
 */
export function stockOf(
  { orders, replenished }: Fold,
  instead: (orderId: string) => { phase: string; lines: OrderFacts['reserved'] } | undefined = () => undefined,
): Map<string, StockFacts> {
  const stock = new Map<string, StockFacts>()
  const of = (sku: string) => {
    const facts = stock.get(sku) ?? { replenished: replenished.get(sku) ?? 0, reserved: 0, shipped: 0 }
    stock.set(sku, facts)
    return facts
  }
  for (const sku of replenished.keys()) of(sku)
  for (const [orderId, order] of orders) {
    const { phase, lines } = instead(orderId) ?? { phase: reservationOf(order), lines: order.reserved }
    if (phase !== 'open' && phase !== 'reserved' && phase !== 'shipped') continue
    for (const { sku, quantity } of lines) of(sku)[phase === 'shipped' ? 'shipped' : 'reserved'] += quantity
  }
  return stock
}
