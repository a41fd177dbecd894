import type { IHeaders } from 'kafkajs'

/** One record of a batch. */
export interface BatchRecord {
  /** Milliseconds; a bigint only if it takes more than four bytes. */
  timestampDelta: number | bigint
  offsetDelta: number
  key: Buffer | null
  value: Buffer | null
  headers: IHeaders
}

/** Has no inherited names, yet a shape that the engine caches: most records have the same headers. */
const Headers = function () {} as unknown as new () => Record<string, unknown>
Headers.prototype = Object.create(null)

/** No producer needs more; an object with more names costs more than the record. */
const maxHeaders = 20_000

/**
 * Reads one record of format 2. kafkajs copies all headers for each header, which takes minutes for 10,000 headers, and
 * treats a header named `constructor` as a duplicate.
 * @throws RangeError if the bytes are not a record
 */
export function decodeRecord(body: Buffer): BatchRecord {
  const reader = new RecordReader(body)
  const { timestampDelta, offsetDelta, key } = reader.front()
  const value = reader.bytes()
  const count = reader.int()
  if (count > maxHeaders) throw new RangeError(`a record with ${count} headers`)
  const headers = new Headers()
  for (let i = 0; i < count; i++) {
    const name = reader.name()
    const header = reader.bytes()
    const before = headers[name]
    if (!(name in headers)) headers[name] = header
    else if (Array.isArray(before)) before.push(header)
    else headers[name] = [before, header]
  }
  return { timestampDelta, offsetDelta, key, value, headers: headers as IHeaders }
}

/** Reads the front of a record: always the offset, the key if it is complete. */
export function readFront(front: Buffer): Pick<BatchRecord, 'timestampDelta' | 'offsetDelta' | 'key'> {
  return new RecordReader(front).front(true)
}

class RecordReader {
  private readonly source: Buffer
  private position = 0

  constructor(source: Buffer) {
    this.source = source
  }

  front(cut = false): Pick<BatchRecord, 'timestampDelta' | 'offsetDelta' | 'key'> {
    this.position = 1 // Attributes: unused
    const timestampDelta = this.long()
    const offsetDelta = this.int()
    return { timestampDelta, offsetDelta, key: this.bytes(cut) }
  }

  bytes(cut = false): Buffer | null {
    const length = this.int()
    if (length < 0) return null
    if (cut && this.position + length > this.source.length) return null
    const start = this.reach(length)
    return this.source.subarray(start, start + length)
  }

  /** Skips bytes that must be present. @returns where they begin */
  private reach(length: number): number {
    const start = this.position
    if (start + length > this.source.length)
      throw new RangeError(`${length} bytes announced, ${this.source.length - start} left`)
    this.position = start + length
    return start
  }

  /** The value of a header; null becomes empty. */
  name(): string {
    const length = this.int()
    if (length <= 0) return ''
    const start = this.reach(length)
    return headerName(this.source, start, start + length)
  }

  int(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
    throw new RangeError('an integer of more than five bytes')
  }

  private byte(): number {
    const byte = this.source[this.position++]
    if (byte === undefined) throw new RangeError('the record ends within an integer')
    return byte
  }

  private long(): number | bigint {
    const start = this.position
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte()
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) return (low >>> 1) ^ -(low & 1)
    }
    this.position = start
    return this.bigLong()
  }

  private bigLong(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
    }
    throw new RangeError('an integer of more than ten bytes')
  }
}

/** Longer names, and more names of one length, are decoded each time: foreign headers must not fill the memory. */
const longestName = 64
const mostOfOneLength = 16

/** Names seen before, by their length. Records carry the same few over and over. */
const knownNames: { bytes: Buffer; text: string }[][] = Array.from({ length: longestName + 1 }, () => [])

/** The header name at `[start, end)` as text. */
export function headerName(source: Buffer, start: number, end: number): string {
  const candidates = knownNames[end - start]
  for (const { bytes, text } of candidates ?? []) {
    let i = 0
    while (i < bytes.length && bytes[i] === source[start + i]) i++
    if (i === bytes.length) return text
  }
  const text = source.toString('utf8', start, end)
  if (candidates && candidates.length < mostOfOneLength)
    candidates.push({ bytes: Buffer.from(source.subarray(start, end)), text })
  return text
}
