import { TallyError } from '../../../errors.ts'

/** A message as kafkajs prepares it for encoding. */
export interface OutgoingMessage {
  key?: string | Buffer | null
  value: string | Buffer | null
  headers?: Readonly<Record<string, HeaderValue | readonly HeaderValue[]>>
}
type HeaderValue = string | Buffer

/** Longer texts are left to the encoder of Node, which costs more per call and less per character. */
const shortText = 64

/** Writes Kafka's formats into one growing buffer; kafkajs allocates a buffer for each record and each header. */
export class RecordWriter {
  private buffer: Buffer
  private position = 0

  constructor(bytes: number) {
    this.buffer = Buffer.allocUnsafe(bytes)
  }

  get length(): number {
    return this.position
  }

  /** Bytes it can hold without growing. */
  get capacity(): number {
    return this.buffer.length
  }

  /** Forgets what was written from a position on. */
  truncate(length: number): void {
    this.position = length
  }

  /** The bytes written so far; a view. */
  written(from = 0): Buffer {
    return this.buffer.subarray(from, this.position)
  }

  int8(value: number): void {
    this.room(1)
    this.position = this.buffer.writeInt8(value, this.position)
  }

  int16(value: number): void {
    this.room(2)
    this.position = this.buffer.writeInt16BE(value, this.position)
  }

  int32(value: number, at?: number): void {
    if (at !== undefined) return void this.buffer.writeInt32BE(value, at)
    this.room(4)
    this.position = this.buffer.writeInt32BE(value, this.position)
  }

  uint32(value: number, at: number): void {
    this.buffer.writeUInt32BE(value, at)
  }

  int64(value: bigint): void {
    this.room(8)
    this.position = this.buffer.writeBigInt64BE(value, this.position)
  }

  /** A length of two bytes, then the text; -1 for none. */
  nullableString(text: string | null): void {
    if (text === null) return this.int16(-1)
    const bytes = Buffer.from(text)
    this.int16(bytes.length)
    this.raw(bytes)
  }

  /** Length, attributes, timestamp delta 0, offset delta, key, value, headers. */
  record(offsetDelta: number, { key, value, headers = {} }: OutgoingMessage): void {
    const start = this.position
    this.room(2)
    this.position += 2 // Most lengths take two bytes
    this.int8(0)
    this.int8(0)
    this.varint(offsetDelta)
    this.sized(key)
    this.sized(value)
    const names = Object.keys(headers)
    let count = names.length
    for (const name of names) if (Array.isArray(headers[name])) count += (headers[name] as unknown[]).length - 1
    this.varint(count)
    for (const name of names) {
      const header = headers[name] as HeaderValue | readonly HeaderValue[]
      if (Array.isArray(header)) for (const each of header as readonly HeaderValue[]) this.header(name, each)
      else this.header(name, header as HeaderValue)
    }
    const length = this.position - start - 2
    const bytes = sizeOfVarint(length)
    if (bytes !== 2) {
      this.room(4)
      this.buffer.copyWithin(start + bytes, start + 2, this.position)
    }
    this.position = start
    this.varint(length)
    this.position += length
  }

  /** Writes records again with other offsets. @param records as `record` writes them, offsets from 0 on */
  moved(records: Buffer, by: number): void {
    for (let at = 0, index = by; at < records.length; index++) {
      const length = readVarint(records, at)
      const body = at + sizeOfVarint(length)
      const end = body + length
      const rest = body + 2 + sizeOfVarint(index - by)
      this.varint(2 + sizeOfVarint(index) + end - rest)
      this.int16(0) // Attributes and timestamp delta
      this.varint(index)
      this.raw(records.subarray(rest, end))
      at = end
    }
  }

  private header(name: string, value: HeaderValue): void {
    this.sized(name)
    this.sized(value)
  }

  /** A length, then the bytes; -1 for none. */
  private sized(content: string | Buffer | null | undefined): void {
    if (content === null || content === undefined) return this.varint(-1)
    if (typeof content === 'string') return this.text(content)
    this.varint(content.length)
    this.raw(content)
  }

  private text(text: string): void {
    const { length } = text
    if (length <= shortText) {
      this.room(length + 2)
      const start = this.position
      this.varint(length)
      const { buffer } = this
      let { position } = this
      let index = 0
      for (; index < length; index++) {
        const code = text.charCodeAt(index)
        if (code > 127) break
        buffer[position++] = code
      }
      if (index === length) {
        this.position = position
        return
      }
      this.position = start
    }
    const bytes = Buffer.byteLength(text)
    this.varint(bytes)
    this.room(bytes)
    this.position += this.buffer.write(text, this.position)
  }

  raw(bytes: Buffer): void {
    this.room(bytes.length)
    this.buffer.set(bytes, this.position)
    this.position += bytes.length
  }

  private varint(value: number): void {
    this.room(5)
    let rest = ((value << 1) ^ (value >> 31)) >>> 0
    while (rest > 127) {
      this.buffer[this.position++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.buffer[this.position++] = rest
  }

  private room(bytes: number): void {
    if (this.position + bytes <= this.buffer.length) return
    const size = Math.max(this.buffer.length * 2, this.position + bytes)
    if (size > 2 ** 31) throw new TallyError('INVARIANT', 'a request of more than 2 GB')
    const larger = Buffer.allocUnsafe(size)
    this.buffer.copy(larger, 0, 0, this.position)
    this.buffer = larger
  }
}

function sizeOfVarint(value: number): number {
  let bytes = 1
  for (let rest = (value << 1) >>> 0; rest > 127; rest >>>= 7) bytes++
  return bytes
}

/** A length, thus not negative. */
function readVarint(source: Buffer, at: number): number {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = source[at++]
    if (byte === undefined || shift > 28) throw new RangeError('a record without length')
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return value >>> 1
  }
}
