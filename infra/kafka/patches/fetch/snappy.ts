import { copyBytes, repeatBytes } from './copy-bytes.ts'

/** The header that snappy-java, and so Kafka's Java client, writes before its blocks. Other clients write one bare block. */
const javaMagic = Buffer.from('\x82SNAPPY\0', 'latin1')
const javaHeaderBytes = 16

/** Three bytes can repeat 64: a block that announces more than this many times its size is forged. */
const highestRatio = 22

/**
 * Decompresses snappy, with or without the framing of snappy-java.
 * @returns blocks of at most 22 times the source's size
 * @throws RangeError if the bytes are malformed
 */
export function* inflateSnappy(source: Buffer): Generator<Buffer> {
  if (!source.subarray(0, javaMagic.length).equals(javaMagic)) {
    yield inflateBlock(source)
    return
  }
  for (let position = javaHeaderBytes; position < source.length; ) {
    const size = source.readInt32BE(position)
    position += 4
    if (size < 0 || position + size > source.length) throw new RangeError('a truncated snappy block')
    yield inflateBlock(source.subarray(position, position + size))
    position += size
  }
}

function inflateBlock(source: Buffer): Buffer {
  let from = 0
  let size = 0
  for (let shift = 0, byte = 0x80; byte >= 0x80; shift += 7) {
    byte = source.readUInt8(from++)
    size += (byte & 0x7f) * 2 ** shift
  }
  if (size > source.length * highestRatio) throw new RangeError(`a snappy block that announces ${size} bytes`)
  const target = Buffer.allocUnsafe(size)
  let to = 0
  while (from < source.length) {
    const tag = source.readUInt8(from++)
    const high = tag >> 2
    if ((tag & 3) === 0) {
      const lengthBytes = Math.max(0, high - 59)
      const length = 1 + (lengthBytes === 0 ? high : source.readUIntLE(from, lengthBytes))
      from += lengthBytes
      to = copyBytes(source, from, length, target, to)
      from += length
    } else if ((tag & 3) === 1) {
      to = repeatBytes(target, to, ((tag >> 5) << 8) | source.readUInt8(from++), 4 + (high & 7))
    } else {
      const distanceBytes = (tag & 3) === 2 ? 2 : 4
      to = repeatBytes(target, to, source.readUIntLE(from, distanceBytes), high + 1)
      from += distanceBytes
    }
  }
  if (to !== size) throw new RangeError(`a snappy block of ${to} bytes that announces ${size}`)
  return target
}
