import type { Context, Decision } from '../runtime/handler.ts'
import type { EventData, EventType } from '../../schemas/generated/events.ts'
import { summarize } from './summarize.ts'
import type { OrderEvent } from './summarize.ts'

export type Status =
  | 'placed'
  | 'authorized'
  | 'reserved'
  | 'ready'
  | 'shipping'
  | 'completed'
  | 'cancelled'
  | 'rejected'

export interface TimelineEntry {
  /** 1, 2, 3 … per order, in the order in which this service received the events. */
  seq: number
  eventId: string
  type: EventType
  /** UTC epoch ms. */
  time: number
  at: Context['at']
  /** One readable line without personal data. */
  summary: string
  /** Whether an event of its type was seen before, which may have been this one: a reprocessing hands it in again. */
  repeatsType?: boolean
}

export type Shipment = Omit<EventData['ShipmentScheduled'], 'orderId' | 'scheduledAt'>

export interface OrderStatus {
  status: Status
  /** Code of the reason why the order was cancelled or rejected. */
  reason: string | null
  seen: readonly EventType[]
  /** The data of OrderPlaced, which need not be the first event to arrive. */
  order: { customerId: string; currency: string; totalMinor: number; placedAt: number } | null
  /** What the carrier agreed to. */
  shipment: Shipment | null
  /** Time of the latest event, UTC epoch ms. */
  updatedAt: number
  /** Time of the event that ended the order. */
  endedAt: number | null
  /** Length of the timeline. */
  entries: number
  /** Entries that are not in the table yet. */
  fresh: readonly TimelineEntry[]
}

export const unseen: OrderStatus = {
  status: 'placed',
  reason: null,
  seen: [],
  order: null,
  shipment: null,
  updatedAt: 0,
  endedAt: null,
  entries: 0,
  fresh: [],
}

/** The first rule whose events were all seen gives the status, in whatever order they arrived. */
const rules: readonly { status: Status; needs: readonly EventType[]; ends?: true }[] = [
  { status: 'completed', needs: ['PaymentCaptured'], ends: true },
  { status: 'cancelled', needs: ['FulfilmentCancelled'], ends: true },
  { status: 'rejected', needs: ['PaymentDeclined'], ends: true },
  { status: 'rejected', needs: ['StockRejected'], ends: true },
  { status: 'shipping', needs: ['ShipmentScheduled'] },
  { status: 'ready', needs: ['PaymentAuthorized', 'StockReserved'] },
  { status: 'authorized', needs: ['PaymentAuthorized'] },
  { status: 'reserved', needs: ['StockReserved'] },
]

/** Adds an event to the order's status and timeline. Emits nothing. */
export function decideOrderStatus(event: OrderEvent, state: OrderStatus, context: Context): Decision<OrderStatus> {
  const isNew = !state.seen.includes(event.type)
  const seen = isNew ? [...state.seen, event.type] : state.seen
  const rule = rules.find(({ needs }) => needs.every((type) => seen.includes(type)))
  const ends = isNew && rule?.ends && rule.needs.includes(event.type)
  const seq = state.entries + 1
  const entry = { seq, eventId: context.eventId, type: event.type, time: context.time, at: context.at }
  return {
    state: {
      status: rule?.status ?? 'placed',
      reason: ends ? reasonOf(event) : state.reason,
      seen,
      order: state.order ?? (event.type === 'OrderPlaced' ? orderOf(event.data) : null), // A second one changes nothing
      shipment: state.shipment ?? (event.type === 'ShipmentScheduled' ? shipmentOf(event.data) : null),
      updatedAt: Math.max(state.updatedAt, context.time),
      endedAt: ends ? context.time : state.endedAt,
      entries: seq,
      fresh: [...state.fresh, { ...entry, summary: summarize(event), ...(isNew ? {} : { repeatsType: true }) }],
    },
  }
}

function reasonOf({ type, data }: OrderEvent): string | null {
  if (type === 'FulfilmentCancelled' || type === 'PaymentDeclined') return data.reason
  return type === 'StockRejected' ? 'out_of_stock' : null
}

type Placed = Extract<OrderEvent, { type: 'OrderPlaced' }>['data']

const orderOf = ({ customerId, currency, totalMinor, placedAt }: Placed) => ({
  customerId,
  currency,
  totalMinor,
  placedAt,
})

const shipmentOf = ({
  carrier,
  trackingNumber,
  labelUrl,
  pickupFrom,
  pickupUntil,
}: EventData['ShipmentScheduled']) => ({
  carrier,
  trackingNumber,
  labelUrl,
  pickupFrom,
  pickupUntil,
})
