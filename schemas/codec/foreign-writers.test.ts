import { describe, expect, test } from '@jest/globals'
import { createDecoder } from './decoder.ts'
import { createEncoder } from './encoder.ts'
import { writeHeader } from './framing.ts'
import { parseSchema } from '../avro-schema.ts'
import type { RecordType } from '../avro-schema.ts'
import { loadSchemas } from '../load-schemas.ts'

const schemas = loadSchemas()
const encode = createEncoder(schemas, new Map(schemas.map(({ type }, index) => [type, index + 1] as const)))

describe('a producer with a schema of its own', () => {
  const voided = schemas.find(({ type }) => type === 'PaymentVoided')!
  type Json = { name: string; namespace?: string; fields: { name: string; type: unknown }[] }
  const { fields, ...about } = voided.schema as Json
  const data = { orderId: 'o1', authorizationId: 'a1', voidedAt: 1_750_000_000_000 }

  /** Reads `bytes` in front of the event's own, as a writer with this schema would have written them. */
  const read = (schema: object, before: Uint8Array = Buffer.alloc(0)) => {
    const decoder = createDecoder(schemas)
    decoder.add(1, schema)
    const body = encode('PaymentVoided', data).subarray(5)
    return { decoder, decode: () => decoder.decode(framed(1, Buffer.concat([before, body]))) }
  }
  const extra = (type: unknown, more: object = {}) => ({
    ...about,
    fields: [{ name: 'extra', type, ...more }, ...fields],
  })
  const withTime = (type: unknown) => ({
    ...about,
    fields: fields.map((field) => (field.name === 'voidedAt' ? { ...field, type } : field)),
  })

  const none = Buffer.alloc(0)
  test.each<[string, object, Uint8Array]>([
    ['a default that fits no branch', extra(['null', 'string'], { default: 'VALUE1' }), Buffer.from([0])],
    ['a default of another type', extra('int', { default: 'none' }), Buffer.from([2])],
    ['a default of the second branch', extra(['null', 'string'], { default: '' }), Buffer.from([2, 0])],
    ['an order that does not exist', extra('int', { order: 'sideways' }), Buffer.from([2])],
    ['a number beyond 2^53 that nobody reads', extra('long'), Buffer.from('feffffffffffffffff01', 'hex')],
    [
      'two branches of one shape',
      extra([...[1, 2].map((n) => ({ type: 'fixed', name: `F${n}`, size: 1 }))]),
      Buffer.from([2, 7]),
    ],
    [
      'a recursive type',
      extra({ type: 'record', name: 'Node', fields: [{ name: 'next', type: ['null', 'Node'] }] }),
      Buffer.from([2, 2, 0]),
    ],
    ['a name without namespace', { ...about, namespace: undefined, fields }, none],
    ['a namespace of its own', { ...about, namespace: 'com.example', fields }, none],
    ['a logical type of its own', withTime({ type: 'long', logicalType: 'made-up', precision: 'none' }), none],
  ])('%s', (_, schema, before) => {
    const { decoder, decode } = read(schema, before)
    expect(decoder.whyUnreadable(1)).toBeUndefined()
    expect(decode().data).toEqual(data)
  })

  test('a field that may be null is read where it is not', () => {
    const decoder = createDecoder(schemas)
    decoder.add(1, withTime(['null', 'long']))
    const body = encode('PaymentVoided', data).subarray(5)
    const time = body.subarray(6)
    const [some, none] = [
      Buffer.concat([body.subarray(0, 6), Buffer.from([2]), time]),
      Buffer.concat([body.subarray(0, 6), Buffer.from([0])]),
    ]
    expect(decoder.decode(framed(1, some)).data).toEqual(data)
    expect(() => decoder.decode(framed(1, none))).toThrow('voidedAt: null cannot be read as long')
    expect(decoder.whyUnreadable(1)).toBeUndefined()
  })

  test('a number that JavaScript cannot hold is refused, not rounded', () => {
    const decoder = createDecoder(schemas)
    decoder.add(1, { ...about, fields: fields.toReversed() })
    const beyond = Buffer.from('8280808080808020', 'hex') // 2^53 + 1
    const body = Buffer.concat([beyond, Buffer.from([4]), Buffer.from('a1'), Buffer.from([4]), Buffer.from('o1')])
    expect(() => decoder.decode(framed(1, body))).toThrow(
      'voidedAt: potential precision loss, 9007199254740993 is beyond 2^53',
    )
  })

  test('a field is read under its former name', () => {
    const renamed = fields.map((field) => (field.name === 'voidedAt' ? { ...field, aliases: ['undoneAt'] } : field))
    const schema = { ...about, fields: renamed }
    const decoder = createDecoder([{ ...voided, schema, record: parseSchema(schema) as RecordType }])
    const former = fields.map((field) => (field.name === 'voidedAt' ? { ...field, name: 'undoneAt' } : field))
    decoder.add(1, { ...about, fields: former })
    expect(decoder.decode(framed(1, encode('PaymentVoided', data).subarray(5))).data).toEqual(data)
  })

  test('a field of another type makes the whole schema unreadable', () => {
    const { decoder, decode } = read(withTime('string'))
    expect(decoder.whyUnreadable(1)).toBe("schema 1 cannot be read as today's: voidedAt: string cannot be read as long")
    expect(decode).toThrow(expect.objectContaining({ code: 'UNREADABLE' }))
  })
})

function framed(schemaId: number, body: Uint8Array): Buffer {
  const value = Buffer.concat([Buffer.alloc(5), body])
  writeHeader(value, 0, schemaId)
  return value
}
