import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { joinRecords, packRecords, unpackRecords } from './packed-records.ts'

const text = fc.oneof(fc.string({ maxLength: 80 }), fc.string({ unit: 'binary', maxLength: 80 }))
const message = fc.record({
  key: fc.option(text),
  value: fc.option(fc.uint8Array({ maxLength: 3_000 }).map((bytes) => Buffer.from(bytes))),
  headers: fc.dictionary(text, text, { maxKeys: 12 }),
})
const messages = fc.array(message, { maxLength: 200 })
const read = (packed: ReturnType<typeof packRecords>) =>
  packed
    .flatMap((each) => unpackRecords(each))
    .map(({ key, value, headers }) => ({
      key: key && String(key),
      value,
      headers: Object.entries(headers).map(([name, bytes]) => [name, String(bytes)]),
    }))
const asRead = (sent: readonly { headers: Record<string, string> }[]) =>
  sent.map((each) => ({ ...each, headers: Object.entries(each.headers) }))

test('packed, joined and cut, records are the same in the same order, and within the limits', () => {
  fc.assert(
    fc.property(fc.array(messages, { maxLength: 4 }), fc.integer({ min: 1, max: 300 }), (parts, count) => {
      const all = parts.flat()
      const limits = { count, bytes: 5_000 }
      const packed = parts.flatMap((part) => packRecords(part, limits))
      expect(read(packed)).toEqual(asRead(all))
      for (const each of packed) {
        expect(each.count).toBeLessThanOrEqual(count)
        if (each.count > 1) expect(each.bytes).toBeLessThanOrEqual(limits.bytes)
      }
      if (packed.length === 0) return
      const joined = joinRecords(packed)
      expect(read([joined])).toEqual(asRead(all))
      expect(joined).toEqual(packRecords(all, { count: 10_000, bytes: 1e9 })[0])
      expect(read(packRecords(unpackRecords(joined), { count: 1, bytes: 1 }))).toEqual(asRead(all))
    }),
    { numRuns: 100 },
  )
})

test('many records are compressed, few are not', () => {
  const of = (count: number) =>
    packRecords(Array.from({ length: count }, () => ({ key: 'k', value: Buffer.alloc(500) })))
  expect(of(1)[0]?.compression).toBe(0)
  const [many] = of(500)
  expect(many?.compression).toBe(4)
  expect(many?.records.length).toBeLessThan(10_000)
})
