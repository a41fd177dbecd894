import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { EventData, EventType } from './generated/events.ts'
import { loadSchemas } from './load-schemas.ts'
import { arbitraryEvent } from './testing/event-arbitraries.ts'
import { findFault, limits } from './validate.ts'

const at = 1_750_000_000_000
const line = { sku: 's1', quantity: 2, unitPriceMinor: 500, amountMinor: 1000 }
const valid = {
  OrderPlaced: {
    orderId: 'o1',
    customerId: 'c1',
    currency: 'EUR',
    lines: [line],
    totalMinor: 1000,
    shipTo: { recipient: 'R', street: 'S 1', city: 'C', postalCode: '', country: 'DE' },
    placedAt: at,
  },
  CancellationRequested: { orderId: 'o1', reason: '', requestedAt: at },
  PaymentAuthorized: { orderId: 'o1', authorizationId: 'a1', amountMinor: 0, currency: 'EUR', authorizedAt: at },
  PaymentDeclined: { orderId: 'o1', reason: 'insufficient_funds', declinedAt: at },
  PaymentVoided: { orderId: 'o1', authorizationId: 'a1', voidedAt: at },
  PaymentCaptured: {
    orderId: 'o1',
    captureId: 'p1',
    authorizationId: 'a1',
    amountMinor: 1000,
    currency: 'EUR',
    capturedAt: at,
  },
  StockReserved: { orderId: 'o1', lines: [{ sku: 's1', quantity: 1 }], reservedAt: at },
  StockReleased: { orderId: 'o1', lines: [], releasedAt: at },
  StockRejected: { orderId: 'o1', shortages: [{ sku: 's1', requested: 2, available: 0 }], rejectedAt: at },
  StockReplenished: { sku: 's1', quantity: 1, replenishedAt: at },
  ShipmentScheduled: {
    orderId: 'o1',
    carrier: 'c',
    trackingNumber: 't1',
    labelUrl: 'http://label',
    pickupFrom: at,
    pickupUntil: at,
    scheduledAt: at,
  },
  FulfilmentCancelled: { orderId: 'o1', reason: 'requested', detail: 'changed my mind', cancelledAt: at },
  CancellationRefused: { orderId: 'o1', reason: 'already_shipping', refusedAt: at },
} satisfies { [T in EventType]: EventData[T] }
const types = Object.keys(valid) as EventType[]
const faultWith = <T extends EventType>(type: T, change: object) =>
  findFault(type, { ...(valid as EventData)[type], ...change })

test.each(types)('nothing is wrong with a good %s', (type) => expect(faultWith(type, {})).toBeUndefined())

test.each(loadSchemas())('nothing is wrong with any $type that keeps to the rules', (schema) => {
  fc.assert(
    fc.property(arbitraryEvent(schema), (data) => expect(findFault(schema.type, data as never)).toBeUndefined()),
  )
})

describe('every event', () => {
  const fields = types.flatMap((type) => Object.keys(valid[type]).map((field) => ({ type, field })))

  test.each(fields.filter(({ field }) => /(At|From)$/.test(field)))('$type: $field is a time', ({ type, field }) => {
    for (const time of [0, -1, Date.UTC(2100, 0, 1), 1.5, Number.NaN]) {
      expect(faultWith(type, { [field]: time })).toMatch(`${field} is not a time in epoch milliseconds`)
    }
  })

  test.each(fields.filter(({ field }) => /(Id|sku|carrier|trackingNumber)$/.test(field)))(
    '$type: $field is an id',
    ({ type, field }) => {
      expect(faultWith(type, { [field]: '' })).toBe(`${field} is empty`)
      expect(faultWith(type, { [field]: 'x'.repeat(limits.idLength + 1) })).toBe(
        `${field} is longer than 128 characters`,
      )
      expect(faultWith(type, { [field]: 'a\0b' })).toBe(`${field} holds characters that cannot be stored`)
      expect(faultWith(type, { [field]: 'a\ud800b' })).toBe(`${field} holds characters that cannot be stored`)
    },
  )

  test.each(fields.filter(({ field }) => /^(reason|detail|labelUrl)$/.test(field)))(
    '$type: $field is text',
    ({ type, field }) => {
      expect(faultWith(type, { [field]: 'x'.repeat(limits.textLength + 1) })).toBe(
        `${field} is longer than 2000 characters`,
      )
      expect(faultWith(type, { [field]: '\0' })).toBe(`${field} holds characters that cannot be stored`)
    },
  )

  test.each(fields.filter(({ field }) => field === 'amountMinor'))(
    '$type: no amount is negative',
    ({ type, field }) => {
      expect(faultWith(type, { [field]: -1 })).toBe('amountMinor is negative: -1')
    },
  )

  test.each(fields.filter(({ field }) => field === 'currency'))('$type: the currency is a code', ({ type }) => {
    for (const currency of ['', 'eur', 'EURO', 'EU1', 'EUR ']) {
      expect(faultWith(type, { currency })).toBe('currency is not an ISO 4217 code of three capital letters')
    }
  })
})

test.each<[EventType, object, string]>([
  ['OrderPlaced', { lines: [] }, 'lines is empty'],
  ['OrderPlaced', { lines: [line, line], totalMinor: 2000 }, 'lines[1].sku occurs twice'],
  ['OrderPlaced', { totalMinor: 1001 }, 'totalMinor is 1001, the lines sum up to 1000'],
  ['OrderPlaced', { lines: [{ ...line, quantity: 0 }] }, 'lines[0].quantity is 0, allowed are 1 to 1000000'],
  [
    'OrderPlaced',
    { lines: [{ ...line, quantity: 1_000_001 }] },
    'lines[0].quantity is 1000001, allowed are 1 to 1000000',
  ],
  ['OrderPlaced', { lines: [{ ...line, unitPriceMinor: -1 }] }, 'lines[0].unitPriceMinor is negative: -1'],
  ['OrderPlaced', { lines: [{ ...line, sku: '' }] }, 'lines[0].sku is empty'],
  ['OrderPlaced', { lines: Array(1001).fill(line) }, 'lines has 1001 entries, at most 1000 are allowed'],
  [
    'OrderPlaced',
    { shipTo: { ...valid.OrderPlaced.shipTo, city: '\0' } },
    'shipTo.city holds characters that cannot be stored',
  ],
  ['StockReserved', { lines: [{ sku: 's', quantity: 0 }] }, 'lines[0].quantity is 0, allowed are 1 to 1000000'],
  [
    'StockRejected',
    { shortages: [{ sku: 's', requested: 1, available: -1 }] },
    'shortages[0].available is negative: -1',
  ],
  ['StockReplenished', { quantity: 0 }, 'quantity is 0, allowed are 1 to 1000000'],
  ['ShipmentScheduled', { pickupFrom: at + 1 }, 'pickupUntil is before pickupFrom'],
])('%s with %j: %s', (type, change, fault) => expect(faultWith(type, change)).toBe(fault))
