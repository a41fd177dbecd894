import { isUtf8 } from 'node:buffer'
import { TallyError } from '../../infra/errors.ts'

/** Skips over Avro's primitives without building values. Every method throws UNREADABLE if the bytes are missing. */
export class ByteCursor {
  readonly bytes: Buffer
  readonly end: number
  position: number
  /** Used by bounds.ts. */
  zeroByteItems = 0
  depth = 0

  constructor(bytes: Buffer, position: number) {
    this.bytes = bytes
    this.end = bytes.length
    this.position = position
  }

  get left(): number {
    return this.end - this.position
  }

  unreadable(path: string, why: string): TallyError {
    return new TallyError('UNREADABLE', `bytes do not fit the schema: ${path ? `${path}: ` : ''}${why}`)
  }

  skip(length: number, path: string): void {
    if (length < 0 || length > this.left) throw this.unreadable(path, `${length} bytes announced, ${this.left} left`)
    this.position += length
  }

  boolean(path: string): void {
    if (this.byte(path) > 1) throw this.unreadable(path, 'not a boolean')
  }

  int(path: string): void {
    const value = this.long(path)
    if (value !== (value | 0)) throw this.unreadable(path, `${value} is not a 32-bit integer`)
  }

  /** The index of one of `count` branches or symbols. */
  index(count: number, path: string): number {
    const index = this.long(path)
    if (index < 0 || index >= count) throw this.unreadable(path, `choice ${index} of ${count}`)
    return index
  }

  text(path: string): void {
    const length = this.long(path)
    const start = this.position
    this.skip(length, path)
    const { bytes, position } = this
    for (let i = start; i < position; i++) {
      if (bytes[i]! < 0x80) continue
      // avsc would substitute U+FFFD, and the damage would look like a name
      if (!isUtf8(bytes.subarray(i, position))) throw this.unreadable(path, 'not UTF-8')
      return
    }
  }

  /** A zigzag integer; approximate beyond 2^53, where avsc refuses it anyway. */
  long(path: string): number {
    let byte = this.byte(path)
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    const start = this.position
    let value = byte & 0x7f
    for (let scale = 0x80; byte >= 0x80; scale *= 0x80) {
      if (this.position - start === 9) throw this.tooLong(path)
      byte = this.byte(path)
      value += (byte & 0x7f) * scale
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** A zigzag integer of 64 bits. */
  exactLong(path: string): bigint {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte(path)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
    }
  }

  skipLong(path: string): void {
    const start = this.position
    while (this.byte(path) >= 0x80) if (this.position - start === 10) throw this.tooLong(path)
  }

  private byte(path: string): number {
    if (this.position >= this.end) throw this.unreadable(path, 'the bytes end here')
    return this.bytes[this.position++]!
  }

  private tooLong(path: string): TallyError {
    return this.unreadable(path, 'an integer of more than 10 bytes')
  }
}
