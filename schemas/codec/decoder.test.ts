import { describe, expect, test } from '@jest/globals'
import avro from 'avsc'
import type { Schema } from 'avsc'
import fc from 'fast-check'
import { parseSchema } from '../avro-schema.ts'
import type { RecordType } from '../avro-schema.ts'
import { createDecoder } from './decoder.ts'
import { createEncoder } from './encoder.ts'
import { writeHeader } from './framing.ts'
import type { EventType } from '../generated/events.ts'
import { loadSchemas } from '../load-schemas.ts'
import type { EventSchema } from '../load-schemas.ts'
import { arbitraryEvent } from '../testing/event-arbitraries.ts'

const schemas = loadSchemas()
const ids = new Map(schemas.map(({ type }, index) => [type, index + 1]))
const encode = createEncoder(schemas, ids)
const idOf = (type: EventType) => ids.get(type)!

/** A decoder of `readers` that knows what today's schemas write. */
function decoderFor(readers: readonly EventSchema[], writers: readonly EventSchema[] = schemas) {
  const decoder = createDecoder(readers)
  for (const { type, schema } of writers) decoder.add(idOf(type), schema)
  return decoder
}

const plain = (data: unknown): unknown => JSON.parse(JSON.stringify(data))

test.each(schemas)('$type: what is written is read', (schema) => {
  const { decode, typeOf } = decoderFor(schemas)
  fc.assert(
    fc.property(arbitraryEvent(schema), (data) => {
      const event = decode(encode(schema.type, data as never))
      expect(event.type).toBe(schema.type)
      expect(event.schemaId).toBe(idOf(schema.type))
      expect(plain(event.data)).toEqual(plain(data))
    }),
  )
  expect(typeOf(idOf(schema.type))).toBe(schema.type)
})

describe('across versions', () => {
  type FieldJson = { name: string; type: unknown; doc: string; default?: unknown }
  const added: FieldJson[] = [
    { name: 'note', type: ['null', 'string'], default: null, doc: 'Added later' },
    { name: 'tags', type: { type: 'array', items: 'string' }, default: [], doc: 'Added later' },
    { name: 'priority', type: 'int', default: 3, doc: 'Added later' },
  ]
  const evolutions: [string, (fields: FieldJson[]) => FieldJson[]][] = [
    ['fields added at the end', (fields) => [...fields, ...added]],
    ['fields added in front', (fields) => [...added, ...fields]],
    ['fields reordered', (fields) => fields.toReversed()],
    ['fields added and reordered', (fields) => [...fields, ...added].toReversed()],
  ]
  const evolved = (schema: EventSchema, evolve: (fields: FieldJson[]) => FieldJson[]): EventSchema => {
    const { fields, ...rest } = schema.schema as { fields: FieldJson[] }
    const json = { ...rest, fields: evolve(fields) }
    return { ...schema, schema: json, record: parseSchema(json) as RecordType }
  }
  const cases = evolutions.flatMap(([name, evolve]) =>
    schemas.map((schema) => ({ name, evolve, schema, type: schema.type })),
  )

  test.each(cases)('$type with $name reads what was written before', ({ schema, evolve }) => {
    const { decode } = decoderFor([evolved(schema, evolve)], [schema])
    fc.assert(
      fc.property(arbitraryEvent(schema), (data) => {
        const event = decode(encode(schema.type, data as never))
        expect(plain(event.data)).toMatchObject(plain(data) as object)
      }),
      { numRuns: 20 },
    )
  })

  test.each(cases)('$type reads what is written with $name', ({ schema, evolve }) => {
    const newer = evolved(schema, evolve)
    const writer = avro.Type.forSchema(newer.schema as Schema)
    const { decode } = decoderFor([schema], [newer])
    const extra = { note: 'x', tags: ['a', 'b'], priority: 1 }
    fc.assert(
      fc.property(arbitraryEvent(schema), (data) => {
        const event = decode(framed(idOf(schema.type), writer.toBuffer({ ...extra, ...data })))
        expect(plain(event.data)).toEqual(plain(data))
      }),
      { numRuns: 20 },
    )
  })
})

describe('damage', () => {
  const decoder = decoderFor(schemas)
  const anyEvent = fc
    .constantFrom(...schemas)
    .chain((schema) => arbitraryEvent(schema).map((data) => encode(schema.type, data as never)))

  /** Bytes are an event or they are refused: nothing else may come of them. */
  const outcome = (value: Buffer): 'read' | 'refused' => {
    try {
      decoder.decode(value)
      return 'read'
    } catch (error) {
      expect(error).toMatchObject({ code: 'UNREADABLE' })
      return 'refused'
    }
  }

  test('a changed byte is refused or read as another event', () => {
    fc.assert(
      fc.property(anyEvent, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, mask) => {
        const damaged = Buffer.from(value)
        const position = 5 + (at % (value.length - 5))
        damaged[position] = damaged[position]! ^ mask
        outcome(damaged)
      }),
      { numRuns: 3000 },
    )
  })

  test('what is cut short or has more behind it is refused', () => {
    fc.assert(
      fc.property(anyEvent, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 9 }), (value, at, more) => {
        expect(outcome(value.subarray(0, 5 + (at % (value.length - 5))))).toBe('refused')
        expect(outcome(Buffer.concat([value, more]))).toBe('refused')
      }),
    )
  })

  test('noise is refused or read, never anything else', () => {
    const noise = fc.tuple(fc.constantFrom(...ids.values()), fc.uint8Array({ maxLength: 60 }))
    fc.assert(
      fc.property(noise, ([id, bytes]) => void outcome(framed(id, bytes))),
      { numRuns: 3000 },
    )
  })
})

describe('says why it refuses', () => {
  const decoder = decoderFor(schemas)
  decoder.add(100, { type: 'record', name: 'Foreign', namespace: 'com.example', fields: [] })
  decoder.add(101, { type: 'record', name: 'PaymentVoided', namespace: 'tally.payments', fields: [] })
  decoder.add(102, { type: 'nonsense' })
  decoder.reject(103, 'schema 103 is unknown to the registry')
  const order = { orderId: 'o1', reason: 'late', requestedAt: 1_750_000_000_000 }
  const longOrder = Buffer.concat([Buffer.from('046f3102', 'hex'), Buffer.from('78', 'hex')])

  test.each<[string, Buffer | null, string]>([
    ['a tombstone', null, 'a tombstone: the record has no value'],
    ['an empty value', Buffer.alloc(0), 'the value does not begin with a schema id'],
    ['JSON', Buffer.from('{"orderId":"o1"}'), 'the value does not begin with a schema id'],
    ['four bytes', Buffer.alloc(4), 'the value does not begin with a schema id'],
    ['a negative schema id', framed(-7, longOrder), 'the value does not begin with a schema id'],
    ['a foreign record', framed(100, longOrder), 'com.example.Foreign is not an event of this version'],
    ['a schema without our fields', framed(101, longOrder), 'schema 101 cannot be read as today'],
    ['a broken schema', framed(102, longOrder), 'schema 102 cannot be read as today'],
    ['an unknown schema', framed(103, longOrder), 'schema 103 is unknown to the registry'],
    [
      'a time beyond 2^53',
      framed(idOf('CancellationRequested'), Buffer.concat([longOrder, Buffer.from('feffffffffffffffff01', 'hex')])),
      'potential precision loss',
    ],
    [
      'a rule of the domain that is broken',
      framed(idOf('CancellationRequested'), Buffer.concat([longOrder, Buffer.from('02', 'hex')])),
      'CancellationRequested: requestedAt is not a time in epoch milliseconds: 1',
    ],
  ])('%s', (_, value, reason) => {
    expect(() => decoder.decode(value)).toThrow(
      expect.objectContaining({ code: 'UNREADABLE', message: expect.stringContaining(reason) }),
    )
  })

  test('a schema it was never told of is a mistake of the caller', () => {
    const value = Buffer.from(encode('CancellationRequested', order))
    writeHeader(value, 0, 999)
    expect(() => decoder.decode(value)).toThrow(expect.objectContaining({ code: 'INVARIANT' }))
  })

  test.each([
    [100, undefined],
    [101, 'PaymentVoided'],
    [102, undefined],
    [103, undefined],
    [999, undefined],
  ])('the type of schema %p is %p', (schemaId, type) => expect(decoder.typeOf(schemaId)).toBe(type))

  test.each([
    [100, expect.stringContaining('not an event of this version')],
    [101, expect.stringContaining("cannot be read as today's")],
    [103, 'schema 103 is unknown to the registry'],
    [idOf('PaymentVoided'), undefined],
    [999, undefined],
  ])('what speaks against all of schema %p', (schemaId, why) => expect(decoder.whyUnreadable(schemaId)).toEqual(why))
})

function framed(schemaId: number, body: Uint8Array): Buffer {
  const value = Buffer.concat([Buffer.alloc(5), body])
  writeHeader(value, 0, schemaId)
  return value
}
