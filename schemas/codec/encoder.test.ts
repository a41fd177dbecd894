import { expect, test } from '@jest/globals'
import avro from 'avsc'
import type { Schema } from 'avsc'
import fc from 'fast-check'
import { createEncoder } from './encoder.ts'
import type { EventData } from '../generated/events.ts'
import { loadSchemas } from '../load-schemas.ts'
import { arbitraryEvent } from '../testing/event-arbitraries.ts'

const schemas = loadSchemas()
const schema = schemas.find(({ type }) => type === 'OrderPlaced')!
const order: EventData['OrderPlaced'] = {
  orderId: 'o1',
  customerId: 'c1',
  currency: 'EUR',
  lines: [{ sku: 's1', quantity: 2, unitPriceMinor: 500, amountMinor: 1000 }],
  totalMinor: 1000,
  shipTo: { recipient: 'R', street: 'S 1', city: 'C', postalCode: '', country: 'DE' },
  placedAt: 1_750_000_000_000,
}

test('magic byte, schema id, Avro body; earlier values stay what they are', () => {
  const encode = createEncoder(schemas, new Map([['OrderPlaced', 0x01020304]]))
  const type = avro.Type.forSchema(schema.schema as Schema)
  fc.assert(
    fc.property(fc.array(arbitraryEvent(schema), { minLength: 1, maxLength: 400 }), (events) => {
      const values = events.map((data) => encode('OrderPlaced', data as EventData['OrderPlaced']))
      const expected = events.map((data) => Buffer.concat([Buffer.from([0, 1, 2, 3, 4]), type.toBuffer(data)]))
      expect(Buffer.concat(values).equals(Buffer.concat(expected))).toBe(true)
    }),
    { numRuns: 20 },
  )
})

test('an event may be larger than the block events are written into', () => {
  const encode = createEncoder(schemas, new Map([['OrderPlaced', 1]]))
  const lines = Array.from({ length: 1000 }, (_, i) => ({ ...order.lines[0]!, sku: `${i}`.padStart(120, 's') }))
  const large = encode('OrderPlaced', { ...order, lines, totalMinor: 1_000_000 })
  expect(large.length).toBeGreaterThan(120_000)
  expect(encode('OrderPlaced', order).length).toBeLessThan(100)
})

test.each<[string, object, string]>([
  ['a missing field', { currency: undefined }, 'tally.orders.OrderPlaced does not fit its schema: currency'],
  ['a wrong type', { placedAt: '2025-01-01' }, 'tally.orders.OrderPlaced does not fit its schema: placedAt'],
  [
    'a nested wrong type',
    { lines: [{ ...order.lines[0], quantity: 1.5 }] },
    'does not fit its schema: lines.0.quantity',
  ],
  ['a number beyond 2^53', { totalMinor: 2 ** 53 }, 'does not fit its schema: totalMinor'],
  ['no object at all', { shipTo: null }, 'does not fit its schema: shipTo'],
  ['a broken rule', { totalMinor: 999 }, 'OrderPlaced: totalMinor is 999, the lines sum up to 1000'],
])('%s is refused by name', (_, change, message) => {
  const encode = createEncoder(schemas, new Map([['OrderPlaced', 1]]))
  const broken = { ...order, ...change } as EventData['OrderPlaced']
  expect(() => encode('OrderPlaced', broken)).toThrow(
    expect.objectContaining({ code: 'INVARIANT', message: expect.stringContaining(message) }),
  )
})

test('an event it was not made for is refused', () => {
  const encode = createEncoder(schemas, new Map())
  expect(() => encode('OrderPlaced', order)).toThrow('this codec was not made to write OrderPlaced')
})
