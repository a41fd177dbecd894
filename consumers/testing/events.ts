import type { Emitted } from '../runtime/handler.ts'
import { event, now } from './in-memory.ts'

export const shipTo = { recipient: 'Ann', street: '1 Way', city: 'Graz', postalCode: '8010', country: 'Austria' }

/** One event of each type for an order; `lines` gives the units by article. */
export function eventsOf(orderId: string, lines: Readonly<Record<string, number>> = { tea: 2, mug: 1 }) {
  const units = Object.entries(lines).map(([sku, quantity]) => ({ sku, quantity }))
  const priced = units.map((line) => ({ ...line, unitPriceMinor: 500, amountMinor: 500 * line.quantity }))
  const hold = {
    authorizationId: `auth-${orderId}`,
    amountMinor: priced.reduce((sum, line) => sum + line.amountMinor, 0),
    currency: 'EUR',
  }
  return {
    placed: event('OrderPlaced', {
      orderId,
      customerId: 'c',
      currency: 'EUR',
      lines: priced,
      totalMinor: hold.amountMinor,
      shipTo,
      placedAt: now,
    }),
    cancellation: event('CancellationRequested', { orderId, reason: 'changed my mind', requestedAt: now }),
    authorized: event('PaymentAuthorized', { orderId, ...hold, authorizedAt: now }),
    declined: event('PaymentDeclined', { orderId, reason: 'insufficient_funds', declinedAt: now }),
    reserved: event('StockReserved', { orderId, lines: units, reservedAt: now }),
    rejected: event('StockRejected', {
      orderId,
      shortages: [{ sku: 'tea', requested: 2, available: 1 }],
      rejectedAt: now,
    }),
    scheduled: event('ShipmentScheduled', { orderId, ...booking }),
    cancelled: event('FulfilmentCancelled', {
      orderId,
      reason: 'requested',
      detail: 'changed my mind',
      cancelledAt: now,
    }),
  }
}

export const booking = {
  carrier: 'Tally Parcel',
  trackingNumber: 'TL000000015XX',
  labelUrl: 'http://carrier/labels/TL000000015XX',
  pickupFrom: now + 1,
  pickupUntil: now + 2,
  scheduledAt: now,
}

/** The same event repeated under another id, directly after it; handlers must tolerate it. */
export const twice = (events: readonly Emitted[]): Emitted[] => events.flatMap((each) => [each, each])

export const typesOf = (events: readonly Emitted[]): string[] => events.map(({ type }) => type)
