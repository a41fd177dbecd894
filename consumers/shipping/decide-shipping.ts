import { TallyError } from '../../infra/errors.ts'
import type { Address, EventData } from '../../schemas/generated/events.ts'
import type { Context, Decision, Handler } from '../runtime/handler.ts'
import type { ShipmentAnswer, ShipmentRequest } from './carrier.ts'

/** What the carrier needs to know about the goods. */
export interface Consignment {
  readonly shipTo: Address
  /** Units of all articles together. */
  readonly units: number
}

/** The delivery of one order. */
export type Shipment =
  | Gathering
  // The label call is decided: only the carrier can cancel the order now. There is no time limit, because a silent carrier
  // may have sold the label, and goods that it picks up must be paid for
  | { readonly phase: 'scheduling' }
  | { readonly phase: 'scheduled' }
  | { readonly phase: 'cancelled' } // By shipping: the customer asked, the carrier refused, or the time was up
  | { readonly phase: 'rejected' } // By payment or inventory

/** Waits until the order, its payment and its stock are confirmed, or its time is up. */
interface Gathering {
  readonly phase: 'gathering'
  readonly consignment?: Consignment
  readonly authorized: boolean
  readonly reserved: boolean
}

export const nothingYet: Gathering = { phase: 'gathering', authorized: false, reserved: false }

export function orderPlaced(order: EventData['OrderPlaced'], shipment: Shipment): Decision<Shipment> {
  const { orderId, shipTo, lines } = order
  const units = lines.reduce((sum, { quantity }) => sum + quantity, 0)
  return gather(orderId, shipment, { consignment: { shipTo, units } })
}

export const paymentAuthorized = ({ orderId }: EventData['PaymentAuthorized'], shipment: Shipment) =>
  gather(orderId, shipment, { authorized: true })

export const stockReserved = ({ orderId }: EventData['StockReserved'], shipment: Shipment) =>
  gather(orderId, shipment, { reserved: true })

/** PaymentDeclined or StockRejected: nothing to deliver. */
export function orderRejected(_event: unknown, shipment: Shipment): Decision<Shipment> {
  switch (shipment.phase) {
    case 'gathering':
      return { state: { phase: 'rejected' } }
    case 'cancelled':
    case 'rejected':
      return {}
    case 'scheduling':
    case 'scheduled':
      throw contradiction(shipment, 'a rejection')
  }
}

/**
 * The only place that decides a cancellation. One that overtakes its order is granted at once: the other services learn of
 * it before or after they see the order, and end it either way.
 */
export function cancellationRequested(
  { orderId, reason: detail }: EventData['CancellationRequested'],
  shipment: Shipment,
  { time }: Context,
): Decision<Shipment> {
  const refuse = (reason: 'already_shipping' | 'already_ended'): Decision<Shipment> => ({
    events: [{ type: 'CancellationRefused', data: { orderId, reason, refusedAt: time } }],
  })
  switch (shipment.phase) {
    case 'gathering':
      return {
        state: { phase: 'cancelled' },
        events: [{ type: 'FulfilmentCancelled', data: { orderId, reason: 'requested', detail, cancelledAt: time } }],
      }
    case 'scheduling':
    case 'scheduled':
      return refuse('already_shipping')
    case 'cancelled':
    case 'rejected':
      return refuse('already_ended')
  }
}

/**
 * Starts the clock of an order with the first of its parts to arrive, whichever that is: an order whose other parts never
 * arrive must hold neither money nor stock forever. Stops it when the parts are complete or the order has ended.
 * @param limitMs time after the processing of that event within which all parts must arrive
 */
export const onClock =
  <Data>(limitMs: number, handler: Handler<Data, Shipment>): Handler<Data, Shipment> =>
  (data, shipment, context, shared) => {
    const decision = handler(data, shipment, context, shared)
    if (shipment.phase !== 'gathering' || decision.state === undefined) return decision
    const gathers = decision.state.phase === 'gathering'
    if (isNew(shipment)) return gathers ? { ...decision, timers: [{ kind: 'overdue', afterMs: limitMs }] } : decision
    return gathers ? decision : { ...decision, withdraw: ['overdue'] }
  }

/** Time is up: cancels the order if parts are missing. The other services release what they hold now or later. */
export const orderOverdue =
  (limitMs: number): Handler<unknown, Shipment> =>
  (_timer, shipment, { key: orderId, time }) => {
    if (shipment.phase !== 'gathering') return {} // Already decided
    const { consignment, authorized, reserved } = shipment
    const missing = [
      ...(consignment ? [] : ['order']),
      ...(authorized ? [] : ['payment']),
      ...(reserved ? [] : ['stock']),
    ]
    const detail = `Missing after ${limitMs / 1_000} s: ${missing.join(', ')}`
    const data = { orderId, reason: 'timed_out', detail, cancelledAt: time }
    return { state: { phase: 'cancelled' }, events: [{ type: 'FulfilmentCancelled', data }] }
  }

export function shipmentAnswered(
  answer: ShipmentAnswer,
  shipment: Shipment,
  { key: orderId }: Context,
): Decision<Shipment> {
  if (shipment.phase !== 'scheduling') return {} // An answer counts once
  switch (answer.outcome) {
    case 'scheduled': {
      const { outcome: _, ...booking } = answer
      return { state: { phase: 'scheduled' }, events: [{ type: 'ShipmentScheduled', data: { orderId, ...booking } }] }
    }
    case 'refused': {
      const detail = answer.detail || answer.code
      const data = { orderId, reason: 'carrier_refused', detail, cancelledAt: answer.refusedAt }
      return { state: { phase: 'cancelled' }, events: [{ type: 'FulfilmentCancelled', data }] }
    }
    case 'contradicted':
      throw contradiction(shipment, answer.code)
  }
}

/** Adds the part that arrived; existing parts stay. Once nothing is missing, buys a label. */
function gather(orderId: string, shipment: Shipment, part: Partial<Omit<Gathering, 'phase'>>): Decision<Shipment> {
  if (shipment.phase !== 'gathering' || (part.consignment && shipment.consignment)) return {}
  const gathered: Gathering = { ...shipment, ...part }
  const { consignment, authorized, reserved } = gathered
  if (!consignment || !authorized || !reserved) return { state: gathered }
  const request: ShipmentRequest = { orderId, ...consignment }
  return { state: { phase: 'scheduling' }, calls: [{ kind: 'schedule', request }] }
}

const isNew = (shipment: Shipment): boolean =>
  shipment.phase === 'gathering' && !shipment.consignment && !shipment.authorized && !shipment.reserved

/** A contract was broken: the event is parked for an operator before any goods move. */
const contradiction = ({ phase }: Shipment, event: string) =>
  new TallyError('INVARIANT', `The shipment is ${phase} and meets ${event}`)
