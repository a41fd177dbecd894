import { describe, expect, test } from '@jest/globals'
import avro from 'avsc'
import type { Schema } from 'avsc'
import fc from 'fast-check'
import { parseSchema } from '../avro-schema.ts'
import { compileBounds } from './bounds.ts'
import { loadSchemas } from '../load-schemas.ts'
import { arbitraryEvent, arbitraryValue } from '../testing/event-arbitraries.ts'

const everything: Schema = {
  type: 'record',
  name: 'Everything',
  fields: [
    { name: 'nothing', type: 'null' },
    { name: 'flag', type: 'boolean' },
    { name: 'int', type: 'int' },
    { name: 'long', type: 'long' },
    { name: 'float', type: 'float' },
    { name: 'double', type: 'double' },
    { name: 'bytes', type: 'bytes' },
    { name: 'text', type: 'string' },
    { name: 'maybe', type: ['null', 'string'] },
    { name: 'choice', type: { type: 'enum', name: 'Choice', symbols: ['A', 'B', 'C'] } },
    { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 3 } },
    { name: 'map', type: { type: 'map', values: 'long' } },
    { name: 'nested', type: { type: 'array', items: { type: 'array', items: 'double' } } },
    { name: 'nulls', type: { type: 'array', items: 'null' } },
  ],
}
const type = avro.Type.forSchema(everything)
const check = compileBounds(parseSchema(everything))
const refused = (why: string) => expect.objectContaining({ code: 'UNREADABLE', message: expect.stringContaining(why) })
const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex')

test('accepts every value avsc writes, and only its own bytes', () => {
  fc.assert(
    fc.property(arbitraryValue(parseSchema(everything)), fc.nat(), (value, at) => {
      const bytes = type.toBuffer(value)
      expect(() => check(bytes, 0)).not.toThrow()
      expect(() => check(Buffer.concat([Buffer.alloc(5), bytes]), 5)).not.toThrow()
      expect(() => check(Buffer.concat([bytes, Buffer.alloc(1)]), 0)).toThrow(refused('1 bytes too many'))
      expect(() => check(bytes.subarray(0, at % bytes.length), 0)).toThrow(refused(''))
    }),
  )
})

test('what it accepts, avsc reads to the last byte, but for integers beyond 2^53', () => {
  const damaged = fc.tuple(arbitraryValue(parseSchema(everything)), fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
    const bytes = type.toBuffer(value)
    bytes[at % bytes.length] = byte
    return bytes
  })
  fc.assert(
    fc.property(damaged, (bytes) => {
      try {
        check(bytes, 0)
      } catch (error) {
        expect(error).toMatchObject({ code: 'UNREADABLE' })
        return
      }
      try {
        type.fromBuffer(bytes)
      } catch (error) {
        expect(error).toMatchObject({ message: 'potential precision loss' })
      }
    }),
    { numRuns: 3000 },
  )
})

describe('says what does not fit', () => {
  const record = (fieldType: unknown) => ({ type: 'record', name: 'R', fields: [{ name: 'f', type: fieldType }] })
  const line = { type: 'record', name: 'Line', fields: [{ name: 'sku', type: 'string' }] }
  const tree = record({ type: 'array', items: 'R' })

  test.each<[string, unknown, string, string]>([
    ['an end too early', 'long', '', 'f: the bytes end here'],
    ['an end within an integer', 'long', '80', 'f: the bytes end here'],
    ['an integer of 11 bytes', 'long', '80 80 80 80 80 80 80 80 80 80 00', 'f: an integer of more than 10 bytes'],
    ['a length of 11 bytes', 'string', '80 80 80 80 80 80 80 80 80 80 00', 'f: an integer of more than 10 bytes'],
    ['an int of 33 bits', 'int', '80 80 80 80 20', 'f: 4294967296 is not a 32-bit integer'],
    ['a text longer than the rest', 'string', '08 61 62', 'f: 4 bytes announced, 2 left'],
    ['a negative length', 'bytes', '01', 'f: -1 bytes announced, 0 left'],
    ['a text that is not UTF-8', 'string', '04 c3 28', 'f: not UTF-8'],
    ['a branch there is not', ['null', 'string'], '04', 'f: choice 2 of 2'],
    ['a symbol there is not', { type: 'enum', name: 'E', symbols: ['A'] }, '02', 'f: choice 1 of 1'],
    ['a boolean of another value', 'boolean', '02', 'f: not a boolean'],
    ['more items than bytes', { type: 'array', items: line }, '08 00 00 00', 'f: 4 items announced, 3 bytes left'],
    ['a fault in an item', { type: 'array', items: line }, '02 03 00', 'f[].sku: -2 bytes announced'],
    ['a fault in a map', { type: 'map', values: 'boolean' }, '02 00 05 00', 'f{}: not a boolean'],
    ['a block that runs backwards', { type: 'array', items: 'long' }, '01 01 02 00', 'f: a block of -1 bytes, 2 left'],
    [
      'a block of another size',
      { type: 'array', items: 'long' },
      '01 04 02 00',
      'f: a block whose size differs from the one announced',
    ],
    ['too many items without bytes', { type: 'array', items: 'null' }, 'd2 0f 00', 'f: 1001 items announced'],
  ])('%s', (_, fieldType, hex, why) => {
    expect(() => compileBounds(parseSchema(record(fieldType)))(bytesOf(hex), 0)).toThrow(refused(why))
  })

  test('blocks with a size are fine', () => {
    expect(() =>
      compileBounds(parseSchema(record({ type: 'array', items: 'long' })))(bytesOf('03 04 02 04 00'), 0),
    ).not.toThrow()
  })

  test('recursion has an end', () => {
    const bounds = compileBounds(parseSchema(tree))
    const nested = (depth: number) => Buffer.concat([Buffer.alloc(depth, 2), Buffer.alloc(depth + 1)])
    expect(() => bounds(nested(50), 0)).not.toThrow()
    expect(() => bounds(nested(100_000), 0)).toThrow(refused('f[]: more than 64 levels deep'))
  })
})

describe('bombs cost next to nothing', () => {
  const schemas = new Map(loadSchemas().map((schema) => [schema.type, compileBounds(schema.record)]))
  const nulls = compileBounds({ kind: 'array', items: { kind: 'array', items: { kind: 'null' } } })
  const manyNulls = Buffer.concat([
    bytesOf('80 80 80 01'),
    Buffer.from('d00f00'.repeat(2 ** 20), 'hex'),
    Buffer.alloc(1),
  ])

  test.each<[string, (bytes: Buffer, offset: number) => void, Buffer]>([
    ['7 bytes: an array of 10 million', schemas.get('StockReserved')!, bytesOf('00 80 da c4 09 00 00')],
    ['11 bytes: an array of 2^31', schemas.get('StockReserved')!, bytesOf('00 80 80 80 80 10 00 00 00 00 00')],
    ['7 bytes: a text of 2^31', schemas.get('OrderPlaced')!, bytesOf('80 80 80 80 10 00 00')],
    ['an array of 2^62', schemas.get('OrderPlaced')!, bytesOf('00 00 00 80 80 80 80 80 80 80 80 80 01')],
    ['a million arrays of a thousand nulls', nulls, manyNulls],
  ])('%s', (_, bounds, bytes) => {
    const before = process.memoryUsage()
    const busy = process.cpuUsage()
    for (let i = 0; i < 100; i++) expect(() => bounds(bytes, 0)).toThrow(refused(''))
    const after = process.memoryUsage()
    expect(process.cpuUsage(busy).user).toBeLessThan(2_000_000)
    expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(64 * 2 ** 20)
  })
})

test('costs less than decoding', () => {
  const schema = loadSchemas().find(({ type: name }) => name === 'OrderPlaced')!
  const order = avro.Type.forSchema(schema.schema as Schema)
  const bounds = compileBounds(schema.record)
  const values = fc.sample(arbitraryEvent(schema), { numRuns: 50, seed: 1 }).map((data) => order.toBuffer(data))
  const timed = (work: (bytes: Buffer) => unknown): number => {
    const started = performance.now()
    for (const bytes of values) work(bytes)
    return performance.now() - started
  }
  // Rounds in turn and shorter than a time slice, of which the fastest count: on a busy machine most are interrupted
  const rounds = Array.from({ length: 1_000 }, () => ({
    checking: timed((bytes) => bounds(bytes, 0)),
    decoding: timed((bytes) => order.fromBuffer(bytes)),
  }))
  const ratio =
    Math.min(...rounds.map(({ checking }) => checking)) / Math.min(...rounds.map(({ decoding }) => decoding))
  expect(ratio).toBeLessThan(1)
})
