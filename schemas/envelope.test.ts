import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { fromHeaders, toHeaders } from './envelope.ts'
import type { Envelope } from './envelope.ts'
import { eventTypes } from './topics.ts'

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter((text) => !text.includes('\0'))
const hex = (length: number) =>
  fc.string({
    unit: fc.integer({ min: 0, max: 15 }).map((digit) => digit.toString(16)),
    minLength: length,
    maxLength: length,
  })
const envelopes: fc.Arbitrary<Envelope> = fc.record(
  {
    id: fc.uuid(),
    type: fc.constantFrom(...eventTypes),
    source: word,
    time: fc.integer({ min: Date.UTC(1980, 0, 1), max: Date.UTC(2099, 11, 31) }),
    subject: word,
    correlationId: word,
    causationId: word,
    traceparent: fc.tuple(hex(32), hex(16)).map(([trace, span]) => `00-${trace}-${span}-01`),
    sourceLane: word,
    sequence: fc.nat(Number.MAX_SAFE_INTEGER),
  },
  { requiredKeys: ['id', 'type', 'source', 'time', 'subject', 'correlationId'] },
)

/** As a broker gives them back. */
const overTheWire = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)]))

test('what is sent is received', () => {
  fc.assert(
    fc.property(envelopes, (envelope) => {
      const { typeName, ...received } = fromHeaders(overTheWire(toHeaders(envelope)))
      expect(received).toEqual(envelope)
      expect(typeName).toMatch(new RegExp(`^tally\\.[a-z]+\\.${envelope.type}$`))
    }),
  )
})

test('the header names are those of CloudEvents', () => {
  const headers = toHeaders({
    id: 'e1',
    type: 'PaymentVoided',
    source: '/tally/payment',
    time: 1_750_000_000_123,
    subject: 'o1',
    correlationId: 'o1',
    causationId: 'e0',
    sourceLane: 'payment/3',
    sequence: 7,
  })
  expect(headers).toEqual({
    ce_specversion: '1.0',
    ce_id: 'e1',
    ce_type: 'tally.payments.PaymentVoided',
    ce_source: '/tally/payment',
    ce_time: '2025-06-15T15:06:40.123Z',
    ce_subject: 'o1',
    ce_correlationid: 'o1',
    ce_causationid: 'e0',
    ce_sourcelane: 'payment/3',
    ce_sequence: '7',
    'content-type': 'application/avro',
  })
})

test('any headers whatever are received', () => {
  const value = fc.oneof(
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.string(),
    fc.constant(undefined),
    fc.array(
      fc.oneof(
        fc.string(),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      ),
    ),
  )
  const name = fc.constantFrom(...Object.keys(fromHeaders(undefined)), 'ce_id', 'ce_time', 'ce_type', 'ce_sequence')
  fc.assert(
    fc.property(fc.option(fc.dictionary(name, value), { nil: undefined }), (headers) => {
      const { time, type, id } = fromHeaders(headers)
      expect(time === undefined || Number.isInteger(time)).toBe(true)
      expect(type === undefined || eventTypes.includes(type)).toBe(true)
      expect(id).not.toBe('')
    }),
  )
})

test.each([
  ['an unknown type keeps its name', { ce_type: 'com.example.Foo' }, { typeName: 'com.example.Foo' }],
  ['the first of several values counts', { ce_id: [Buffer.from('a'), Buffer.from('b')] }, { id: 'a' }],
  ['an empty list is no value', { ce_id: [] }, {}],
  ['fractions beyond milliseconds are cut', { ce_time: '2025-06-15T15:06:40.123456789Z' }, { time: 1_750_000_000_123 }],
  ['offsets are understood', { ce_time: '2025-06-15T17:06:40+02:00' }, { time: 1_750_000_000_000 }],
  ['a number is no time', { ce_time: '1750000000' }, {}],
  ['the year 9999 is not a plausible time', { ce_time: '9999-01-01T00:00:00Z' }, {}],
  ['an id too long to store is none', { ce_id: 'x'.repeat(513) }, {}],
  ['an id PostgreSQL cannot store is none', { ce_id: 'a\0b' }, {}],
  ['a negative sequence is none', { ce_sequence: '-1' }, {}],
  ['a malformed trace is none', { traceparent: '00-zz' }, {}],
])('%s', (_, headers, expected) => expect(fromHeaders(headers)).toEqual(expected))
