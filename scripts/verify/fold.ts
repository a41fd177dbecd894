import type { EventData, EventType } from '../../schemas/generated/events.ts'

/**
 * What the events of all topics add up to, worked out a second time and as simply as possible. It shares no rule with
 * the services: it knows no state machine, only sets of events. Events of different topics may come in any order.
 */
export interface Fold {
  readonly orders: ReadonlyMap<string, OrderFacts>
  /** Units delivered to the warehouse, by SKU. */
  readonly replenished: ReadonlyMap<string, number>
  /** Takes an event in. Each must be given once, however often it was published. */
  take(event: FoldEvent): void
}

export type FoldEvent = { [T in EventType]: { id: string; source?: string; type: T; data: EventData[T] } }[EventType]

export type FinalState = 'completed' | 'cancelled' | 'rejected'

/** Everything the topics say about one order. */
export interface OrderFacts {
  /** How many different events of each type there are; more than one is never right. */
  readonly counts: Map<EventType, number>
  /** Its OrderPlaced events; there should be one. */
  readonly placed: { id: string; source?: string; totalMinor: number; currency: string }[]
  /** What was held, by the gateway's id of the hold. */
  readonly authorized: Map<string, number>
  readonly voided: Set<string>
  readonly captured: EventData['PaymentCaptured'][]
  /** Why shipping cancelled it, code by code; one at most is right. */
  readonly cancelledFor: string[]
  /** What inventory set aside. */
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
    take({ id, source, type, data }) {
      if (type === 'StockReplenished') {
        replenished.set(data.sku, (replenished.get(data.sku) ?? 0) + data.quantity)
        return
      }
      if (!('orderId' in data)) return // About an article: no invariant of orders depends on it
      const facts = factsOf(data.orderId)
      facts.counts.set(type, (facts.counts.get(type) ?? 0) + 1)
      if (type === 'OrderPlaced') {
        const { totalMinor, currency } = data
        facts.placed.push({ id, source, totalMinor, currency })
      } else if (type === 'PaymentAuthorized') facts.authorized.set(data.authorizationId, data.amountMinor)
      else if (type === 'PaymentVoided') facts.voided.add(data.authorizationId)
      else if (type === 'PaymentCaptured') facts.captured.push(data)
      else if (type === 'FulfilmentCancelled') facts.cancelledFor.push(data.reason)
      else if (type === 'StockReserved') facts.reserved = data.lines
    },
  }
}

/** Where an order ended, from the set of its events alone; undefined while it has not. */
export function finalStateOf({ counts }: Pick<OrderFacts, 'counts'>): FinalState | undefined {
  if (counts.has('PaymentCaptured')) return 'completed'
  if (counts.has('FulfilmentCancelled')) return 'cancelled'
  if (counts.has('PaymentDeclined') || counts.has('StockRejected')) return 'rejected'
  return undefined
}

/** Whether what was set aside for the order is still so, is gone to the customer, or was given back (or never taken). */
export function reservationOf({ counts }: Pick<OrderFacts, 'counts'>): 'none' | 'open' | 'shipped' | 'released' {
  if (!counts.has('StockReserved')) return 'none'
  if (counts.has('ShipmentScheduled')) return 'shipped'
  return counts.has('StockReleased') ? 'released' : 'open'
}

/** Stock by SKU. On hand is what was replenished and is neither reserved nor shipped. */
export function stockOf({ orders, replenished }: Fold): Map<string, StockFacts> {
  const stock = new Map<string, StockFacts>()
  const of = (sku: string) => {
    const facts = stock.get(sku) ?? { replenished: replenished.get(sku) ?? 0, reserved: 0, shipped: 0 }
    stock.set(sku, facts)
    return facts
  }
  for (const sku of replenished.keys()) of(sku)
  for (const order of orders.values()) {
    const reservation = reservationOf(order)
    if (reservation !== 'open' && reservation !== 'shipped') continue
    for (const { sku, quantity } of order.reserved) of(sku)[reservation === 'open' ? 'reserved' : 'shipped'] += quantity
  }
  return stock
}
