import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { EventType } from '../../schemas/generated/events.ts'
import type { FoldEvent } from './fold.ts'
import { createFold, finalStateOf, stockOf } from './fold.ts'
import { eventFaults } from './invariants/event-sets.ts'

const lines = [
  { sku: 'tea', quantity: 2 },
  { sku: 'cup', quantity: 1 },
]
const event = (type: EventType, data: object = {}, id = `${type}-1`) =>
  ({ id, type, data: { orderId: 'o-1', lines, ...data } }) as unknown as FoldEvent

const foldOf = (events: readonly FoldEvent[]) => {
  const fold = createFold()
  for (const each of events) fold.take(each)
  return fold
}

const setOf = (...types: EventType[]) => ({
  counts: new Map(types.map((type) => [type, 1])),
  cancelledFor: [] as string[],
})
const cancelledFor = (reason: string, ...types: EventType[]) => ({
  ...setOf('FulfilmentCancelled', ...types),
  cancelledFor: [reason],
})
const path: EventType[] = ['OrderPlaced', 'PaymentAuthorized', 'StockReserved', 'ShipmentScheduled', 'PaymentCaptured']

describe('the fold', () => {
  test('does not depend on the order of events', () => {
    const events = [
      ...path.map((type) => event(type)),
      event('StockReplenished', { sku: 'tea', quantity: 9 }),
      event('StockReplenished', { sku: 'tea', quantity: 1 }, 'other'),
      event('StockReserved', { orderId: 'o-2' }),
      event('StockReserved', { orderId: 'o-3' }),
      event('StockReleased', { orderId: 'o-3' }),
    ]
    const stock = new Map([
      ['tea', { replenished: 10, reserved: 2, shipped: 2 }],
      ['cup', { replenished: 0, reserved: 1, shipped: 1 }],
    ])
    fc.assert(
      fc.property(fc.shuffledSubarray(events, { minLength: events.length }), (shuffled) => {
        const fold = foldOf(shuffled)
        expect(stockOf(fold)).toEqual(stock)
        expect(finalStateOf(fold.orders.get('o-1') ?? setOf())).toBe('completed')
      }),
    )
  })

  test.each<[string | undefined, EventType[]]>([
    [undefined, []],
    [undefined, path.slice(0, 4)],
    ['completed', path],
    ['cancelled', ['OrderPlaced', 'FulfilmentCancelled']],
    ['cancelled', ['OrderPlaced', 'FulfilmentCancelled', 'PaymentDeclined']],
    ['rejected', ['OrderPlaced', 'PaymentDeclined']],
    ['rejected', ['OrderPlaced', 'StockRejected']],
  ])('ends an order as %s after %j', (state, types) => {
    expect(finalStateOf(setOf(...types))).toBe(state)
  })
})

describe('the events of an order', () => {
  test.each<[EventType[]]>([
    [path],
    [[...path, 'CancellationRequested', 'CancellationRefused']],
    [path.slice(0, 3)],
    [['OrderPlaced', 'PaymentDeclined']],
    [['OrderPlaced', 'PaymentDeclined', 'StockReserved', 'StockReleased']],
    [['OrderPlaced', 'StockRejected', 'PaymentAuthorized', 'PaymentVoided']],
    [['OrderPlaced', 'StockRejected', 'PaymentDeclined']],
    [['OrderPlaced', 'CancellationRequested', 'FulfilmentCancelled']],
    [['FulfilmentCancelled', 'CancellationRequested']],
  ])('may be %j', (types) => {
    expect(eventFaults(setOf(...types))).toEqual([])
  })

  test.each<[string, EventType[]]>([
    ['completed without ShipmentScheduled', ['OrderPlaced', 'PaymentAuthorized', 'StockReserved', 'PaymentCaptured']],
    ['completed and StockReleased', [...path, 'StockReleased']],
    ['both PaymentCaptured and PaymentVoided', [...path, 'PaymentVoided']],
    ['both ShipmentScheduled and FulfilmentCancelled', [...path, 'FulfilmentCancelled']],
    ['cancelled, PaymentAuthorized and no PaymentVoided', ['OrderPlaced', 'PaymentAuthorized', 'FulfilmentCancelled']],
    ['rejected, StockReserved and no StockReleased', ['OrderPlaced', 'StockReserved', 'PaymentDeclined']],
    ['both StockReserved and StockRejected', ['OrderPlaced', 'StockReserved', 'StockRejected', 'StockReleased']],
    ['PaymentVoided without PaymentAuthorized', ['OrderPlaced', 'PaymentVoided']],
  ])('are wrong if %s', (fault, types) => {
    expect(eventFaults(setOf(...types))).toContain(fault)
  })

  test.each<[string, EventType[]]>([
    ['timed_out', ['OrderPlaced']],
    ['timed_out', ['OrderPlaced', 'StockReserved', 'StockReleased']],
    ['timed_out', ['OrderPlaced', 'PaymentAuthorized', 'PaymentVoided', 'StockRejected']],
    ['timed_out', ['PaymentAuthorized', 'PaymentVoided', 'OrderPlaced', 'StockReserved', 'StockReleased']],
    ['requested', ['CancellationRequested']],
    ['carrier_refused', ['OrderPlaced', 'PaymentAuthorized', 'PaymentVoided', 'StockReserved', 'StockReleased']],
  ])('may be cancelled as %s with %j', (reason, types) => {
    expect(eventFaults(cancelledFor(reason, ...types))).toEqual([])
  })

  test.each<[string, EventType[]]>([
    ['timed_out', ['CancellationRequested']],
    ['requested', ['OrderPlaced']],
    ['carrier_refused', ['OrderPlaced', 'PaymentAuthorized', 'PaymentVoided']],
    ['mere_whim', ['OrderPlaced']],
  ])('do not justify a cancellation as %s: %j', (reason, types) => {
    expect(eventFaults(cancelledFor(reason, ...types))).toEqual([`cancelled as ${reason} without grounds`])
  })

  test('are wrong if an order that timed out keeps its goods or its money', () => {
    expect(eventFaults(cancelledFor('timed_out', 'OrderPlaced', 'StockReserved'))).toEqual([
      'cancelled, StockReserved and no StockReleased',
    ])
    expect(eventFaults(cancelledFor('timed_out', 'OrderPlaced', 'PaymentAuthorized'))).toEqual([
      'cancelled, PaymentAuthorized and no PaymentVoided',
    ])
  })

  test('are wrong if one occurs under two ids', () => {
    const counts = new Map<EventType, number>(path.map((type) => [type, type === 'PaymentCaptured' ? 2 : 1]))
    expect(eventFaults({ counts, cancelledFor: [] })).toEqual(['2 different PaymentCaptured'])
  })
})
