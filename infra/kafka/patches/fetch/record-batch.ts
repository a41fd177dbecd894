import type { KafkaMessage } from 'kafkajs'
import { describeError, TallyError } from '../../../errors.ts'
import { crc32c } from './crc32c.ts'
import { inflate } from './inflate.ts'
import { readFront, decodeRecord } from './record.ts'
import type { BatchRecord } from './record.ts'
import { RecordCutter } from './record-cutter.ts'
import { replacedValue } from './replaced-value.ts'

/** Positions in a batch of format 2. The checksum covers everything from the attributes on. */
const at = {
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  firstTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  firstSequence: 53,
  count: 57,
  records: 61,
} as const

/** Bytes of a batch without records, after its offset and length. */
export const smallestBatch = at.records - 12

/** The offsets `[from, to)` of the batch at a position. The offset of the next batch is trusted more than its own header. */
export function offsetsOf(set: Buffer, position: number): { from: number; to: number } {
  const from = Number(set.readBigInt64BE(position))
  const length = set.readInt32BE(position + 8)
  const end = position + 12 + length
  const next = length >= smallestBatch && set.length - end >= 8 ? Number(set.readBigInt64BE(end)) : undefined
  if (next !== undefined && next > from) return { from, to: next }
  const hasHeader = set.length - position >= at.records && set.readInt8(position + at.magic) >= 2
  const last = hasHeader ? Math.max(0, set.readInt32BE(position + at.lastOffsetDelta)) : 0
  return { from, to: from + last + 1 }
}

/**
 * Memory limits of one batch, bytes. Decompressed it can be a thousand times the size that the broker allows: that is a
 * mistake or an attack, and must not end the process.
 */
export const batchLimits = {
  record: 4 * 1024 * 1024,
  /** Bytes of all records that are kept. */
  total: 32 * 1024 * 1024,
  /** Bytes to decompress at most: meanwhile the replica sends no heartbeat. */
  inflated: 256 * 1024 * 1024,
  records: 250_000,
} as const

/** A record as kafkajs passes it on; it filters aborted transactions by `batchContext`. */
export type FetchedRecord = KafkaMessage & { isControlRecord: boolean; batchContext: object }

export interface FetchedBatch {
  records: FetchedRecord[]
  /** Bytes it took to read. */
  bytes: number
}

type AddedRecord = Pick<BatchRecord, 'timestampDelta' | 'offsetDelta'> & Partial<BatchRecord>

/** A record that cannot be read keeps its offset. @throws RangeError if even the offset cannot be read */
function readable(body: Buffer): AddedRecord {
  try {
    return decodeRecord(body)
  } catch (error) {
    return { ...readFront(body), value: replacedValue(describeError(error)) }
  }
}

/**
 * Reads one complete record batch. A record that is too large or unreadable keeps its offset and gets a value that says why
 * (`replaced-value.ts`), so that it is parked and the partition continues.
 * @throws TallyError UNREACHABLE when the checksum is wrong: disk or network damaged the batch, not its producer;
 * INVARIANT for more records than can be held even without their content
 */
export async function readRecordBatch(batch: Buffer): Promise<FetchedBatch> {
  const firstOffset = batch.readBigInt64BE(0)
  if (crc32c(batch.subarray(at.attributes)) !== batch.readUInt32BE(at.crc)) {
    throw new TallyError('UNREACHABLE', `The record batch at offset ${firstOffset} is damaged: its checksum is wrong`)
  }
  const attributes = batch.readInt16BE(at.attributes)
  const count = batch.readInt32BE(at.count)
  const lastOffsetDelta = batch.readInt32BE(at.lastOffsetDelta)
  const firstTimestamp = batch.readBigInt64BE(at.firstTimestamp)
  const maxTimestamp = batch.readBigInt64BE(at.maxTimestamp)
  if (count > batchLimits.records) {
    throw new TallyError(
      'INVARIANT',
      `The record batch at offset ${firstOffset} has ${count} records, too many to hold`,
    )
  }
  const compression = attributes & 0x07
  const isControlBatch = (attributes & 0x20) !== 0
  const batchContext = {
    firstOffset: String(firstOffset),
    firstTimestamp: String(firstTimestamp),
    partitionLeaderEpoch: batch.readInt32BE(12),
    inTransaction: (attributes & 0x10) !== 0,
    isControlBatch,
    lastOffsetDelta,
    producerId: String(batch.readBigInt64BE(at.producerId)),
    producerEpoch: batch.readInt16BE(at.producerEpoch),
    firstSequence: batch.readInt32BE(at.firstSequence),
    maxTimestamp: String(maxTimestamp),
    timestampType: (attributes & 0x08) >> 3,
    magicByte: 2,
  }
  const appendTime = batchContext.timestampType === 1
  const base = Number(firstOffset)
  const timeAt = timesFrom(firstTimestamp)
  const appendedAt = appendTime ? timeOf(maxTimestamp) : undefined
  const records: FetchedRecord[] = []
  let nextDelta = 0
  let bytes = 0

  const add = (record: AddedRecord) => {
    const { timestampDelta, offsetDelta, key = null, value = null, headers = {} } = record
    nextDelta = offsetDelta + 1
    records.push({
      attributes: 0,
      timestamp: appendedAt ?? timeAt(timestampDelta),
      offset: String(base + offsetDelta),
      key,
      value,
      headers,
      isControlRecord: isControlBatch,
      batchContext,
    } as FetchedRecord)
  }
  const cutter = new RecordCutter({
    longestRecord: batchLimits.record,
    total: batchLimits.total,
    record: (body) => add(readable(body)),
    passedOver: (front, length) => {
      const why = length > batchLimits.record ? 'too long to hold' : 'in a batch too big to hold'
      add({ ...readFront(front), value: replacedValue(`a record of ${length} bytes after decompression, ${why}`) })
    },
  })
  const pieces = compression === 0 ? [batch.subarray(at.records)] : inflate(compression, batch.subarray(at.records))
  try {
    for await (const piece of pieces) {
      bytes += piece.length
      if (bytes > batchLimits.inflated) throw new RangeError(`it inflates to more than ${batchLimits.inflated} bytes`)
      cutter.push(piece)
    }
    if (records.length !== count) throw new RangeError(`${records.length} records, ${count} announced`)
    // Compaction keeps a batch's last offset without its record, and kafkajs would ask for it for ever
    if (nextDelta <= lastOffsetDelta) {
      add({ offsetDelta: lastOffsetDelta, timestampDelta: 0 })
      Object.assign(records.at(-1) as FetchedRecord, { isControlRecord: true })
    }
  } catch (error) {
    const value = replacedValue(`in a batch that cannot be read to its end: ${describeError(error)}`)
    while (nextDelta <= Math.min(lastOffsetDelta, batchLimits.records)) {
      add({ offsetDelta: nextDelta, timestampDelta: 0, value })
    }
  }
  return { records, bytes }
}

/** Timestamps as text, cached: consecutive records often have the same one. */
function timesFrom(first: bigint): (delta: number | bigint) => string {
  let last: number | bigint = 0
  let text = timeOf(first)
  return (delta) => {
    if (delta !== last) text = timeOf(BigInt.asIntN(64, first + BigInt(delta)))
    last = delta
    return text
  }
}

/** A time that no number and no database column can hold counts as missing: Kafka writes -1. */
const timeOf = (ms: bigint): string => (BigInt.asIntN(53, ms) === ms ? String(ms) : '-1')
