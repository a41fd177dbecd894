import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { crc32c } from './crc32c.ts'
import { batchLimits, readRecordBatch } from './record-batch.ts'
import { whyReplaced } from './replaced-value.ts'
import { batchOf } from './testing/batch-bytes.ts'

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}
const sized = (bytes: Buffer | null) => (bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes]))

const record = (offsetDelta: number, value: Buffer | null, key: Buffer | null = null) =>
  sized(Buffer.concat([Buffer.from([0]), varint(0), varint(offsetDelta), sized(key), sized(value), varint(0)]))

const small = (count: number) => Array.from({ length: count }, (_, i) => record(i, Buffer.from(`value ${i}`)))
const reasons = async (batch: Buffer) =>
  (await readRecordBatch(batch)).records.map(({ value }) => whyReplaced(value!) ?? String(value))

test('the checksum is the one of RFC 3720, at every length', () => {
  expect(crc32c(Buffer.alloc(32)).toString(16)).toBe('8a9136aa')
  expect(crc32c(Buffer.from('123456789')).toString(16)).toBe('e3069283')
})

describe('a record batch', () => {
  test('is read with offsets, keys and values', async () => {
    const { records } = await readRecordBatch(
      batchOf(Buffer.concat([record(0, null, Buffer.from('k')), record(3, Buffer.from('v'))]), { count: 2 }),
    )
    expect(records).toMatchObject([
      { offset: '100', key: Buffer.from('k'), value: null, timestamp: '1700000000000' },
      { offset: '103', key: null },
    ])
    expect(String(records[1]?.value)).toBe('v')
  })

  test.each([
    ['whose last record was compacted away', [record(0, Buffer.from('v'))], ['100', '107']],
    ['that compaction has emptied', [], ['107']],
  ])('%s ends at its last offset, which stands for no record', async (_, content, offsets) => {
    const batch = batchOf(Buffer.concat(content), { count: content.length })
    batch.writeInt32BE(7, 23)
    batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
    const { records } = await readRecordBatch(batch)
    expect(records.map(({ offset }) => offset)).toEqual(offsets)
    expect(records.map(({ isControlRecord }) => isControlRecord)).toEqual([...content.map(() => false), true])
  })

  test('of more records than a call may have arguments', async () => {
    const { records } = await readRecordBatch(
      batchOf(gzipSync(Buffer.concat(small(150_000))), { count: 150_000, compression: 1 }),
    )
    expect(records.at(-1)?.offset).toBe('150099')
  })

  test('with one bit turned is refused, to be fetched again', async () => {
    const batch = batchOf(Buffer.concat(small(3)), { count: 3 })
    batch[70]! ^= 4
    await expect(readRecordBatch(batch)).rejects.toMatchObject({ code: 'UNREACHABLE', retryable: true })
  })

  test('too long a record is replaced where it stands, and its key is kept', async () => {
    const bomb = record(1, Buffer.alloc(batchLimits.record + 1), Buffer.from('o-1'))
    const content = Buffer.concat([record(0, Buffer.from('a')), bomb, record(2, Buffer.from('b'))])
    for (const [compression, bytes] of [
      [0, content],
      [1, gzipSync(content)],
      [4, zstdCompressSync(content)],
    ] as const) {
      const batch = batchOf(bytes, { count: 3, compression })
      expect(await reasons(batch)).toEqual(['a', expect.stringMatching(/^a record of 4194\d{3} bytes .*too long/), 'b'])
      expect((await readRecordBatch(batch)).records[1]).toMatchObject({ offset: '101', key: Buffer.from('o-1') })
    }
  })

  test('too big altogether: what does not fit is replaced', async () => {
    const tenth = Buffer.alloc(batchLimits.total / 10)
    const content = Buffer.concat(Array.from({ length: 12 }, (_, i) => record(i, tenth)))
    const values = (await readRecordBatch(batchOf(gzipSync(content), { count: 12, compression: 1 }))).records
    expect(values.filter(({ value }) => whyReplaced(value!) !== undefined).map(({ offset }) => offset)).toEqual([
      '109',
      '110',
      '111',
    ])
  })

  test('that inflates without end is looked through only so far', async () => {
    const head = Buffer.concat([record(0, Buffer.from('a')), varint(2 ** 30), Buffer.from([0, 0, 2])])
    const zeros = gzipSync(Buffer.alloc(2 ** 24))
    const endless = Buffer.concat([gzipSync(head), ...Array<Buffer>(20).fill(zeros)])
    const { records, bytes } = await readRecordBatch(batchOf(endless, { count: 3, compression: 1 }))
    expect(records.map(({ offset }) => offset)).toEqual(['100', '101', '102'])
    expect(String(records[0]?.value)).toBe('a')
    expect(whyReplaced(records[2]!.value!)).toMatch(/inflates to more than 268435456 bytes$/)
    expect(bytes).toBeLessThan(batchLimits.inflated * 1.01)
  })

  test.each([
    ['no gzip', Buffer.from('no gzip'), 1],
    ['half a gzip', gzipSync(Buffer.concat(small(3))).subarray(0, 20), 1],
    ['no zstd', Buffer.from('no zstd'), 4],
    ['no lz4', Buffer.from('no lz4 frame'), 3],
    ['no snappy', Buffer.from([255, 255, 255, 255, 15, 1]), 2],
    ['unknown compression', Buffer.concat(small(3)), 7],
    ['fewer records than announced', Buffer.concat(small(2)), 0],
    ['a record longer than the batch', sized(Buffer.alloc(9)).fill(0x7e), 0],
  ])('that breaks off is replaced record by record from there on: %s', async (_, content, compression) => {
    const { records } = await readRecordBatch(batchOf(content, { count: 3, compression }))
    expect(records.map(({ offset }) => offset)).toEqual(['100', '101', '102'])
    expect(whyReplaced(records[2]!.value!)).toMatch(/^in a batch that cannot be read to its end: /)
  })

  test('with too many records to hold is refused with a message', async () => {
    const batch = batchOf(Buffer.alloc(0), { count: 2_000_000_000 })
    await expect(readRecordBatch(batch)).rejects.toMatchObject({ code: 'INVARIANT' })
  })
})
