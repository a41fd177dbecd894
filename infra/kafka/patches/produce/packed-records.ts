import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { RecordCutter } from '../fetch/record-cutter.ts'
import { decodeRecord } from '../fetch/record.ts'
import { RecordWriter } from './record-writer.ts'
import type { OutgoingMessage } from './record-writer.ts'

/** Records in Kafka's format 2 as a record batch holds them: offsets from 0 on, all of the batch's time. */
export interface PackedRecords {
  readonly count: number
  /** As in the batch's attributes: 0 none, 4 zstd. */
  readonly compression: number
  /** Length of the records before compression. */
  readonly bytes: number
  readonly records: Buffer
}

/** Limits of one batch. The broker refuses more than 1 MB, which a single record may come close to. */
export const packLimits = { count: 1_000, bytes: 700_000 } as const

/** Fewer bytes are not compressed: 20 µs for each writer and 15 µs for each reader then cost more than they save. */
const leastToCompress = 4_096
const fast = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** What our own limits allow, with a single record of any size that the broker accepts. */
const mostInflated = 32 * 2 ** 20

/** Reused, because what it holds is copied or compressed at once. */
let scratch = new RecordWriter(64 * 1_024)
const scratchAtMost = 4 * 2 ** 20

/** Packs records, in order, into as few batches as the limits allow. */
export function packRecords(messages: readonly OutgoingMessage[], limits = packLimits as PackLimits): PackedRecords[] {
  const packed: PackedRecords[] = []
  for (let from = 0; from < messages.length; ) {
    const writer = emptied()
    let end = from
    for (; end < messages.length && end - from < limits.count; end++) {
      const before = writer.length
      writer.record(end - from, messages[end] as OutgoingMessage)
      if (writer.length <= limits.bytes || end === from) continue
      writer.truncate(before)
      break
    }
    packed.push(compressed(writer.written(), end - from))
    from = end
  }
  return packed
}

export interface PackLimits {
  readonly count: number
  readonly bytes: number
}

/** Joins records that follow one another into one batch. The caller keeps to the limits. */
export function joinRecords(parts: readonly PackedRecords[]): PackedRecords {
  const [first, ...more] = parts
  if (first && more.length === 0) return first
  const writer = emptied()
  let count = 0
  for (const part of parts) {
    const body = inflated(part)
    if (count === 0) writer.raw(body)
    else writer.moved(body, count)
    count += part.count
  }
  return compressed(writer.written(), count)
}

/** A record out of a batch. */
export interface UnpackedRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Record<string, Buffer | Buffer[]>
}

/** The records, in order. */
export function unpackRecords(packed: PackedRecords): UnpackedRecord[] {
  const records: UnpackedRecord[] = []
  const cutter = new RecordCutter({
    longestRecord: mostInflated,
    total: mostInflated,
    record: (body) => void records.push(decodeRecord(body) as UnpackedRecord),
    passedOver: (_front, length) => {
      throw new RangeError(`a record of ${length} bytes`)
    },
  })
  cutter.push(inflated(packed))
  if (records.length !== packed.count) throw new RangeError(`${records.length} records, ${packed.count} announced`)
  return records
}

function compressed(records: Buffer, count: number): PackedRecords {
  const bytes = records.length
  if (bytes >= leastToCompress) {
    const smaller = zstdCompressSync(records, fast)
    if (smaller.length < bytes) return { count, compression: 4, bytes, records: smaller }
  }
  return { count, compression: 0, bytes, records: Buffer.from(records) }
}

const inflated = ({ compression, records }: PackedRecords): Buffer =>
  compression === 0 ? records : zstdDecompressSync(records, { maxOutputLength: mostInflated })

function emptied(): RecordWriter {
  if (scratch.capacity > scratchAtMost) scratch = new RecordWriter(64 * 1_024)
  scratch.truncate(0)
  return scratch
}
