import { TallyError } from '../../infra/errors.ts'
import type { EventData, Shortage, StockLine } from '../../schemas/generated/events.ts'
import type { Context, Decision, SharedRows } from '../runtime/handler.ts'

/** Units of one article. `replenished` = `onHand` + `reserved` + `shipped`, always. */
export interface Stock {
  readonly onHand: number
  readonly reserved: number
  readonly shipped: number
  /** Total ever received. */
  readonly replenished: number
}

/** The reservation of one order. */
export type Reservation =
  | { readonly phase: 'unplaced' } // The order has not been seen
  | { readonly phase: 'closed' } // Ended before it was seen: nothing to reserve
  | { readonly phase: 'scheduled' } // Its shipment was seen before it: reserve and ship at once
  | { readonly phase: 'rejected' }
  | { readonly phase: 'reserved' | 'released' | 'shipped'; readonly lines: readonly StockLine[] }

export const unplaced: Reservation = { phase: 'unplaced' }
export const noStock: Stock = { onHand: 0, reserved: 0, shipped: 0, replenished: 0 }

type InventoryDecision = Decision<Reservation, Stock>
type StockRows = SharedRows<Stock>

/** Reserves all lines or none. */
export function orderPlaced(
  order: EventData['OrderPlaced'],
  reservation: Reservation,
  { time }: Context,
  stock: StockRows,
): InventoryDecision {
  if (reservation.phase !== 'unplaced' && reservation.phase !== 'scheduled') return {}
  const { orderId } = order
  const lines = checkedLines(order)
  const shortages = shortagesOf(lines, stock)
  if (shortages.length === 0) {
    const reserved = change(stock, lines, reserve)
    const early = reservation.phase === 'scheduled'
    return {
      state: { phase: early ? 'shipped' : 'reserved', lines },
      shared: early ? change(reserved, lines, ship) : reserved,
      events: [{ type: 'StockReserved', data: { orderId, lines, reservedAt: time } }],
    }
  }
  if (reservation.phase === 'scheduled') throw contradiction(reservation, 'a shortage')
  return {
    state: { phase: 'rejected' },
    events: [{ type: 'StockRejected', data: { orderId, shortages, rejectedAt: time } }],
  }
}

/** PaymentDeclined or FulfilmentCancelled: the reserved units are on hand again. */
export function orderEnded(
  { orderId }: { orderId: string },
  reservation: Reservation,
  { time }: Context,
  stock: StockRows,
): InventoryDecision {
  switch (reservation.phase) {
    case 'unplaced':
      return { state: { phase: 'closed' } }
    case 'reserved': {
      const lines = [...reservation.lines]
      return {
        state: { phase: 'released', lines },
        shared: change(stock, lines, release),
        events: [{ type: 'StockReleased', data: { orderId, lines, releasedAt: time } }],
      }
    }
    case 'closed':
    case 'rejected':
    case 'released':
      return {}
    case 'scheduled':
    case 'shipped':
      throw contradiction(reservation, 'an end')
  }
}

/** The goods are shipped. */
export function shipmentScheduled(
  _event: unknown,
  reservation: Reservation,
  _context: Context,
  stock: StockRows,
): InventoryDecision {
  switch (reservation.phase) {
    case 'unplaced':
      return { state: { phase: 'scheduled' } }
    case 'reserved':
      return { state: { ...reservation, phase: 'shipped' }, shared: change(stock, reservation.lines, ship) }
    case 'scheduled':
    case 'shipped':
      return {}
    case 'closed':
    case 'rejected':
    case 'released':
      throw contradiction(reservation, 'a shipment')
  }
}

/** Keyed by SKU; concerns no order. */
export function stockReplenished(
  { sku, quantity }: EventData['StockReplenished'],
  _reservation: Reservation,
  _context: Context,
  stock: StockRows,
): InventoryDecision {
  if (quantity < 1) throw new TallyError('INVARIANT', `A delivery of ${quantity} units of ${sku}`)
  return { shared: change(stock, [{ sku, quantity }], replenish) }
}

/** Articles whose stock an event may change. */
export function skusConcerned(data: object, reservation: Reservation): readonly string[] {
  if ('sku' in data) return [String(data.sku)]
  if ('lines' in reservation) return reservation.lines.map(({ sku }) => sku)
  return 'lines' in data ? (data as EventData['OrderPlaced']).lines.map(({ sku }) => sku) : []
}

const reserve = ({ onHand, reserved, ...rest }: Stock, units: number): Stock => ({
  ...rest,
  onHand: onHand - units,
  reserved: reserved + units,
})
const release = (stock: Stock, units: number): Stock => reserve(stock, -units)
const ship = ({ reserved, shipped, ...rest }: Stock, units: number): Stock => ({
  ...rest,
  reserved: reserved - units,
  shipped: shipped + units,
})
const replenish = ({ onHand, replenished, ...rest }: Stock, units: number): Stock => ({
  ...rest,
  onHand: onHand + units,
  replenished: replenished + units,
})

/** The rows of the lines' articles after `move`; an article without a row was never delivered. */
const change = (
  stock: StockRows,
  lines: readonly StockLine[],
  move: (stock: Stock, units: number) => Stock,
): Map<string, Stock> => new Map(lines.map(({ sku, quantity }) => [sku, move(stock.get(sku) ?? noStock, quantity)]))

const shortagesOf = (lines: readonly StockLine[], stock: StockRows): Shortage[] =>
  lines.flatMap(({ sku, quantity: requested }) => {
    const available = stock.get(sku)?.onHand ?? 0
    return available < requested ? [{ sku, requested, available }] : []
  })

/** The order's lines as OrderPlaced promises them. Any others would corrupt the stock. */
function checkedLines({ lines }: EventData['OrderPlaced']): StockLine[] {
  const skus = new Set(lines.map(({ sku }) => sku))
  if (skus.size !== lines.length) throw new TallyError('INVARIANT', 'Two lines of the order have the same article')
  if (lines.length === 0 || lines.some(({ quantity }) => quantity < 1))
    throw new TallyError('INVARIANT', 'The order or one of its lines has no units')
  return lines.map(({ sku, quantity }) => ({ sku, quantity }))
}

/** A contract was broken: the event is parked for an operator before any goods move. */
const contradiction = ({ phase }: Reservation, event: string) =>
  new TallyError('INVARIANT', `The reservation is ${phase} and meets ${event}`)
