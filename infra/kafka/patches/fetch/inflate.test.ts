import { describe, expect, test } from '@jest/globals'
import { inflateLz4 } from './lz4.ts'
import { inflateSnappy } from './snappy.ts'

const frame = (flags: number, ...blocks: Buffer[]) =>
  Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18, flags, 0x40, 0]), ...blocks, Buffer.alloc(4)])
const block = (...bytes: number[]) => {
  const size = Buffer.alloc(4)
  size.writeUInt32LE(bytes.length)
  return Buffer.concat([size, Buffer.from(bytes)])
}
const text = (pieces: Iterable<Buffer>) => Buffer.concat([...pieces]).toString('latin1')
const a = 97

describe('lz4', () => {
  test('literals, a repetition that overlaps itself, lengths of several bytes', () => {
    expect(text(inflateLz4(frame(0x60, block(0x1f, a, 1, 0, 255, 6, 0x10, a + 1))))).toBe(`${'a'.repeat(281)}b`)
  })

  test('a repetition of what an earlier block said, where blocks are linked', () => {
    const blocks = [block(0x30, a, a + 1, a + 2), block(0x00, 3, 0, 0x00)]
    expect(text(inflateLz4(frame(0x40, ...blocks)))).toBe('abcabca')
    expect(() => text(inflateLz4(frame(0x60, ...blocks)))).toThrow(expect.objectContaining({ name: 'RangeError' }))
  })

  test('stored blocks and frames one after the other', () => {
    const stored = block(a, a)
    stored[3] = 0x80
    expect(text(inflateLz4(Buffer.concat([frame(0x60, stored), frame(0x60, stored)])))).toBe('aaaa')
  })

  test.each([
    ['a distance of 0', block(0x10, a, 0, 0)],
    ['a distance before the start', block(0x10, a, 9, 0)],
    ['literals that are not there', block(0xf0, 200, a)],
    ['more than a block may hold', block(0x1f, a, 1, 0, ...Array<number>(300).fill(255), 0, 0x00)],
    ['a block cut off', block(0x30, a).fill(0xff, 0, 1)],
  ])('refuses %s', (_, bytes) => {
    expect(() => text(inflateLz4(frame(0x60, bytes)))).toThrow(expect.objectContaining({ name: 'RangeError' }))
  })
})

describe('snappy', () => {
  test('literals and repetitions of every kind', () => {
    const bytes = [22, 0x08, a, a + 1, a + 2, 0x0d, 3, 0x16, 3, 0, 0x17, 3, 0, 0, 0]
    expect(text(inflateSnappy(Buffer.from(bytes)))).toBe('abcabcabcabcabcabcabca')
  })

  test.each([
    ['a size that cannot be', [0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, a]],
    ['literals that are not there', [9, 0x20, a]],
    ['a distance before the start', [9, 0x00, a, 0x0d, 3]],
    ['less than announced', [5, 0x00, a]],
    ['an end too soon', [5, 0x00, a, 0x16]],
  ])('refuses %s', (_, bytes) => {
    expect(() => text(inflateSnappy(Buffer.from(bytes)))).toThrow(expect.objectContaining({ name: 'RangeError' }))
  })
})
