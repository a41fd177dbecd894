import type { IHeaders } from 'kafkajs'

/** One record as its batch holds it. */
export interface RawRecord {
  /** Milliseconds; a bigint only where it takes more than four bytes. */
  timestampDelta: number | bigint
  offsetDelta: number
  key: Buffer | null
  value: Buffer | null
  headers: IHeaders
}

/** Without a prototype's names, and yet an object whose shape the engine knows: records have the same headers over and over. */
const Headers = function () {} as unknown as new () => Record<string, unknown>
Headers.prototype = Object.create(null)

/** More are nobody's: an object of so many names costs more than the record. */
const maxHeaders = 20_000

/**
 * Reads one record of format 2. kafkajs copies all headers for each header, which takes a header flood minutes, and takes a
 * header named `constructor` for a second one.
 * @throws RangeError where the bytes are no record
 */
export function readRecord(body: Buffer): RawRecord {
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

/** Reads what the front of a record tells: its place always, its key if all of it is there. */
export function readFront(front: Buffer): Pick<RawRecord, 'timestampDelta' | 'offsetDelta' | 'key'> {
  return new RecordReader(front).front(true)
}

class RecordReader {
  private readonly source: Buffer
  private position = 0

  constructor(source: Buffer) {
    this.source = source
  }

  front(cut = false): Pick<RawRecord, 'timestampDelta' | 'offsetDelta' | 'key'> {
    this.position = 1 // Attributes, of which there are none
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

  /** Steps over bytes that must be there. @returns where they begin */
  private reach(length: number): number {
    const start = this.position
    if (start + length > this.source.length)
      throw new RangeError(`${length} bytes announced, ${this.source.length - start} left`)
    this.position = start + length
    return start
  }

  /** Of a header; one that is null is empty. */
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
