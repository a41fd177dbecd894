import { expect, test } from '@jest/globals'
import type { Codec } from '../../../schemas/codec/codec.ts'
import { createDecoder } from '../../../schemas/codec/decoder.ts'
import { createEncoder } from '../../../schemas/codec/encoder.ts'
import { schemaIdOf } from '../../../schemas/codec/framing.ts'
import { loadSchemas } from '../../../schemas/load-schemas.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { orderPlaced } from '../testing/tally-consumer.ts'
import { readRecords } from './read-records.ts'

const schemas = loadSchemas()
const ids = new Map(schemas.map(({ type }, index) => [type, index + 1]))
const decoder = createDecoder(schemas)
for (const { type, schema } of schemas) decoder.add(ids.get(type)!, schema)
decoder.add(100, { type: 'record', name: 'com.example.Foreign', fields: [] })
decoder.add(101, { type: 'record', name: 'tally.orders.OrderPraised', fields: [] })
decoder.reject(102, 'schema 102 is unknown to the registry')
const codec: Codec = { ...decoder, encode: createEncoder(schemas, ids), schemaIdOf, learn: () => Promise.resolve() }

const partitions = 12
const key = 'o-1'
const { data } = orderPlaced(key)
const placed = codec.encode('OrderPlaced', data)
const cancelled = codec.encode('CancellationRequested', { orderId: 'o-1', reason: 'late', requestedAt: Date.now() })
const reserved = codec.encode('StockReserved', { orderId: 'o-1', lines: [], reservedAt: Date.now() })
const framed = (id: number) => Buffer.from([0, 0, 0, 0, id])

async function outcome(value: Buffer | null, headers: Record<string, string>, more: { timestamp?: string } = {}) {
  const message = {
    key: Buffer.from(key),
    value,
    headers,
    timestamp: String(Date.now()),
    offset: '7',
    attributes: 0,
    ...more,
  }
  const handled = new Set(['OrderPlaced'] as const)
  const partition = laneOf(key, partitions)
  const { inputs } = await readRecords([message], 7, 8, { codec, handled, partitions, topic: 'orders', partition })
  const [input] = inputs
  if (!input) return 'ignored'
  return input.event?.type ?? `${input.unreadable?.reason}: ${input.unreadable?.error}`
}

const json = Buffer.from('{"orderId":"o-1"}')
const unframed = /^UNREADABLE: the value does not begin with a schema id/
test.each<[string, Buffer | null, Record<string, string>, string | RegExp]>([
  ['an event', placed, {}, 'OrderPlaced'],
  ['an event with another content type', placed, { 'content-type': 'application/json' }, 'OrderPlaced'],
  ['an event whose header names another type', placed, { ce_type: 'tally.payments.PaymentVoided' }, 'OrderPlaced'],
  ['an event that others handle', cancelled, {}, 'ignored'],
  ['a damaged event that others handle', json, { ce_type: 'tally.orders.CancellationRequested' }, 'ignored'],
  ['an event of another topic', reserved, {}, 'MISROUTED: StockReserved of o-1 belongs to topic inventory'],
  ['JSON that claims a type of another topic', json, { ce_type: 'tally.inventory.StockReserved' }, unframed],
  ['JSON with a type', json, { ce_type: 'tally.orders.OrderPlaced' }, unframed],
  ['JSON with a short type', json, { ce_type: 'OrderPlaced' }, unframed],
  ['JSON with a type in another case', json, { ce_type: 'tally.orders.ORDERPLACED' }, unframed],
  ['JSON with the header in another case', json, { CE_TYPE: 'tally.orders.OrderPlaced' }, unframed],
  ['JSON of a foreign type', json, { ce_type: 'com.example.Foreign' }, unframed],
  ['a structured CloudEvent', json, { 'content-type': 'application/cloudevents+json' }, unframed],
  [
    'Avro with another first byte',
    Buffer.from([1, ...placed.subarray(1)]),
    { ce_type: 'com.example.Foreign' },
    unframed,
  ],
  [
    'a tombstone with a type',
    null,
    { ce_type: 'com.example.Foreign' },
    'UNREADABLE: a tombstone: the record has no value',
  ],
  ['an event of a later version', framed(101), { ce_type: 'tally.orders.OrderPraised' }, 'ignored'],
  ['a record with a schema and no type', framed(101), {}, /OrderPraised is not an event of this version/],
  [
    'a schema that is not its header’s',
    framed(100),
    { ce_type: 'tally.orders.OrderPraised' },
    /Foreign is not an event/,
  ],
  ['a schema nobody knows', framed(102), { ce_type: 'com.example.Foreign' }, /schema 102 is unknown to the registry/],
])('%s', async (_, value, headers, expected) => {
  expect(await outcome(value, headers)).toEqual(
    typeof expected === 'string' ? expected : expect.stringMatching(expected),
  )
})

test.each<[string, string]>([
  ['2026-11-28T10:00:00', 'has no offset: write 2026-11-28T10:00:00Z for UTC'],
  ['garbage', 'is neither RFC 3339'],
  ['', 'is neither RFC 3339'],
  ['1764324000', 'is in seconds'],
  ['1970-01-01T00:00:00Z', 'is not between 1980 and 2099'],
])('the time %p is no missing time', async (time, why) => {
  expect(await outcome(placed, { ce_time: time })).toContain(`UNREADABLE: header ce_time ${why}`)
})

test('without a time the record’s counts, if it is one', async () => {
  expect(await outcome(placed, {})).toBe('OrderPlaced')
  expect(await outcome(placed, {}, { timestamp: '1' })).toMatch(/^UNREADABLE: neither its headers nor its record/)
  expect(await outcome(placed, { ce_time: '2026-11-28T10:00:00Z' }, { timestamp: '1' })).toBe('OrderPlaced')
})

test('a record in another partition than its key’s is parked with the cause', async () => {
  const message = {
    key: Buffer.from(key),
    value: placed,
    headers: {},
    timestamp: String(Date.now()),
    offset: '7',
    attributes: 0,
  }
  const partition = (laneOf(key, partitions) + 1) % partitions
  const handled = new Set(['OrderPlaced'] as const)
  const { inputs } = await readRecords([message], 7, 8, { codec, handled, partitions, topic: 'orders', partition })
  expect(inputs[0]?.unreadable?.error).toMatch(/^key o-1 belongs to partition \d+: its producer chose/)
})
