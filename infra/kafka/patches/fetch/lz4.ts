import { copyBytes, repeatBytes } from './copy-bytes.ts'

const magic = 0x184d2204
const endMark = 0
const windowBytes = 64 * 1024

/**
 * Decompresses LZ4 frames block by block, so that a caller may stop. Checksums are not verified: the record batch has its own.
 * @returns blocks of at most 4 MB
 * @throws RangeError if the bytes are malformed
 */
export function* inflateLz4(source: Buffer): Generator<Buffer> {
  let position = 0
  while (position < source.length) {
    if (source.readUInt32LE(position) !== magic) throw new RangeError('not an LZ4 frame')
    const flags = source.readUInt8(position + 4)
    const has = (bit: number) => (flags & bit) !== 0
    const linked = !has(0x20)
    const largest = 1 << (8 + 2 * ((source.readUInt8(position + 5) >> 4) & 7))
    if (flags >> 6 !== 1 || largest < windowBytes) throw new RangeError('an LZ4 frame of an unknown version')
    position += 7 + (has(0x08) ? 8 : 0) + (has(0x01) ? 4 : 0)
    let window = Buffer.alloc(0)
    for (;;) {
      const announced = source.readUInt32LE(position)
      position += 4
      if (announced === endMark) break
      const size = announced & 0x7fff_ffff
      const block = source.subarray(position, position + size)
      if (block.length < size) throw new RangeError('a truncated LZ4 block')
      const target = Buffer.allocUnsafe(window.length + largest)
      window.copy(target)
      const stored = announced >>> 31 === 1
      const end = stored ? copyBytes(block, 0, size, target, window.length) : inflateBlock(block, target, window.length)
      yield target.subarray(window.length, end)
      if (linked) window = target.subarray(Math.max(0, end - windowBytes), end)
      position += size + (has(0x10) ? 4 : 0)
    }
    position += has(0x04) ? 4 : 0
  }
}

/** Sequences of literals and a repetition; the last has literals only. @returns the position after the output */
function inflateBlock(source: Buffer, target: Buffer, start: number): number {
  let from = 0
  let to = start
  const lengthOf = (nibble: number): number => {
    let length = nibble
    for (let byte = nibble === 15 ? 255 : 0; byte === 255; length += byte) byte = source.readUInt8(from++)
    return length
  }
  while (from < source.length) {
    const token = source.readUInt8(from++)
    const literals = lengthOf(token >> 4)
    to = copyBytes(source, from, literals, target, to)
    from += literals
    if (from === source.length) return to
    const distance = source.readUInt16LE(from)
    from += 2
    to = repeatBytes(target, to, distance, lengthOf(token & 15) + 4)
  }
  return to
}
