import type { IHeaders } from 'kafkajs'

/** One record as its batch holds it. */
export interface RawRecord {
  timestampDelta: bigint
  offsetDelta: number
  key: Buffer | null
  value: Buffer | null
  headers: IHeaders
}

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
  const headers = Object.create(null) as Record<string, unknown>
  for (let i = 0; i < count; i++) {
    const name = reader.bytes()?.toString('utf8') ?? ''
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
    const end = this.position + length
    if (end > this.source.length) {
      if (cut) return null
      throw new RangeError(`${length} bytes announced, ${this.source.length - this.position} left`)
    }
    const bytes = this.source.subarray(this.position, end)
    this.position = end
    return bytes
  }

  int(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.source.readUInt8(this.position++)
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
    throw new RangeError('an integer of more than five bytes')
  }

  private long(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.source.readUInt8(this.position++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
    }
    throw new RangeError('an integer of more than ten bytes')
  }
}
