import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { EventData } from '../../schemas/generated/events.ts'
import { decideOrderStatus, unseen } from './decide-order-status.ts'
import type { OrderStatus } from './decide-order-status.ts'
import type { OrderEvent } from './summarize.ts'

const orderId = 'order-1'
const lines = [{ sku: 'tea', quantity: 2 }]
const shipTo = { recipient: 'Jane Roe', street: 'High Street 1', city: 'Leeds', postalCode: 'LS1', country: 'UK' }
const priced = [{ sku: 'tea', quantity: 2, unitPriceMinor: 450, amountMinor: 900 }]

const placed: OrderEvent = {
  type: 'OrderPlaced',
  data: { orderId, customerId: 'c-7', currency: 'EUR', lines: priced, totalMinor: 900, shipTo, placedAt: 1_000 },
}
const happenings: OrderEvent[] = [
  placed,
  { type: 'CancellationRequested', data: { orderId, reason: 'call Jane Roe first', requestedAt: 0 } },
  {
    type: 'PaymentAuthorized',
    data: { orderId, authorizationId: 'a-1', amountMinor: 900, currency: 'EUR', authorizedAt: 0 },
  },
  { type: 'PaymentDeclined', data: { orderId, reason: 'insufficient_funds', declinedAt: 0 } },
  { type: 'PaymentVoided', data: { orderId, authorizationId: 'a-1', voidedAt: 0 } },
  {
    type: 'PaymentCaptured',
    data: { orderId, captureId: 'p-1', authorizationId: 'a-1', amountMinor: 900, currency: 'EUR', capturedAt: 0 },
  },
  { type: 'StockReserved', data: { orderId, lines, reservedAt: 0 } },
  { type: 'StockRejected', data: { orderId, shortages: [{ sku: 'tea', requested: 2, available: 1 }], rejectedAt: 0 } },
  { type: 'StockReleased', data: { orderId, lines, releasedAt: 0 } },
  {
    type: 'ShipmentScheduled',
    data: {
      orderId,
      carrier: 'Swift',
      trackingNumber: 'T1',
      labelUrl: '',
      pickupFrom: 0,
      pickupUntil: 1,
      scheduledAt: 0,
    },
  },
  {
    type: 'FulfilmentCancelled',
    data: { orderId, reason: 'requested', detail: 'call Jane Roe first', cancelledAt: 0 },
  },
  { type: 'CancellationRefused', data: { orderId, reason: 'already_shipping', refusedAt: 0 } },
]
const timeOf = (event: OrderEvent) => 1_000 + happenings.indexOf(event)

const take = (state: OrderStatus, event: OrderEvent): OrderStatus =>
  decideOrderStatus(event, state, {
    key: orderId,
    eventId: `event-${event.type}`,
    time: timeOf(event),
    at: { topic: 'any', partition: 0, offset: timeOf(event) },
  }).state ?? state

const after = (events: readonly OrderEvent[]) => events.reduce(take, unseen)
const afterTypes = (...types: OrderEvent['type'][]) => after(happenings.filter(({ type }) => types.includes(type)))

/** All that must not depend on the order of arrival. */
const summary = (state: OrderStatus) => ({ ...state, seen: [...state.seen].sort(), entries: 0, fresh: [] })

const someEvents = fc.subarray(happenings)

describe('the status of an order', () => {
  test('does not depend on the order in which its events arrive', () => {
    const bothWays = someEvents.chain((events) =>
      fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length })),
    )
    fc.assert(
      fc.property(bothWays, ([one, other]) => expect(summary(after(other))).toEqual(summary(after(one)))),
      { numRuns: 1_000 },
    )
  })

  test('does not change when events come again', () => {
    const repeated = someEvents.chain((events) => fc.tuple(fc.constant(events), fc.subarray(events)))
    fc.assert(
      fc.property(repeated, ([events, again]) => {
        const once = after(events)
        expect(summary(again.reduce(take, once))).toEqual(summary(once))
      }),
    )
  })

  test('keeps to the first of two orders under one id, as all other services do', () => {
    const second: OrderEvent = { ...placed, data: { ...placed.data, totalMinor: 1, customerId: 'c-8' } }
    expect(after([placed, second]).order).toMatchObject({ customerId: 'c-7', totalMinor: 900 })
  })

  test.each<[OrderStatus['status'], string | null, OrderEvent['type'][]]>([
    ['placed', null, []],
    ['placed', null, ['OrderPlaced', 'CancellationRequested']],
    ['authorized', null, ['OrderPlaced', 'PaymentAuthorized']],
    ['reserved', null, ['StockReserved']],
    ['ready', null, ['OrderPlaced', 'PaymentAuthorized', 'StockReserved']],
    ['shipping', null, ['OrderPlaced', 'PaymentAuthorized', 'StockReserved', 'ShipmentScheduled']],
    ['completed', null, ['OrderPlaced', 'ShipmentScheduled', 'CancellationRefused', 'PaymentCaptured']],
    ['cancelled', 'requested', ['OrderPlaced', 'FulfilmentCancelled', 'PaymentVoided', 'StockReleased']],
    ['cancelled', 'requested', ['PaymentDeclined', 'FulfilmentCancelled']],
    ['rejected', 'insufficient_funds', ['PaymentDeclined', 'StockRejected']],
    ['rejected', 'out_of_stock', ['StockRejected', 'PaymentVoided']],
  ])('is %s (%s) after %j', (status, reason, types) => {
    expect(afterTypes(...types)).toMatchObject({ status, reason })
  })

  test('of an order whose time was up stays cancelled, whatever answers come late', () => {
    const data = { orderId, reason: 'timed_out', detail: 'Missing after 900 s: payment', cancelledAt: 0 }
    const timedOut: OrderEvent = { type: 'FulfilmentCancelled', data }
    const late = ['PaymentAuthorized', 'PaymentVoided', 'PaymentDeclined', 'StockReserved', 'StockReleased']
    const events = [placed, timedOut, ...happenings.filter(({ type }) => late.includes(type))]
    fc.assert(
      fc.property(fc.shuffledSubarray(events, { minLength: events.length }), (shuffled) => {
        const { status, reason, fresh } = after(shuffled)
        expect({ status, reason }).toEqual({ status: 'cancelled', reason: 'timed_out' })
        expect(fresh.map((entry) => entry.summary)).toContain(
          'will not be delivered: timed_out (Missing after 900 s: payment)',
        )
      }),
    )
  })

  test('says when it ended, and knows the order however late OrderPlaced comes', () => {
    const order = { customerId: 'c-7', currency: 'EUR', totalMinor: 900, placedAt: 1_000 }
    expect(after([...happenings.slice(1, 4), placed])).toMatchObject({ order, endedAt: 1_003, updatedAt: 1_003 })
  })
})

test('the shipment is that of the first booking, whatever comes later', () => {
  const scheduled = happenings.find(({ type }) => type === 'ShipmentScheduled') as OrderEvent
  const { orderId: _, scheduledAt: __, ...shipment } = scheduled.data as EventData['ShipmentScheduled']
  const other = { ...scheduled, data: { ...scheduled.data, trackingNumber: 'T2' } } as OrderEvent
  expect(after([placed]).shipment).toBeNull()
  expect([placed, scheduled, other, ...happenings.slice(-1)].reduce(take, unseen).shipment).toEqual(shipment)
})

describe('the timeline', () => {
  test('has one entry per event, numbered from 1, saying where the event lies', () => {
    const { fresh, entries } = after(happenings)
    expect(entries).toBe(happenings.length)
    expect(fresh.map(({ seq, type }) => [seq, type])).toEqual(happenings.map(({ type }, index) => [index + 1, type]))
    expect(fresh[2]).toMatchObject({
      eventId: 'event-PaymentAuthorized',
      at: { topic: 'any', partition: 0, offset: 1_002 },
    })
  })

  test('shows no personal data', () => {
    const text = JSON.stringify(after(happenings).fresh)
    for (const secret of ['Jane', 'High Street', 'Leeds', 'LS1']) expect(text).not.toContain(secret)
  })
})
