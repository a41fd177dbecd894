import type { KafkaMessage } from 'kafkajs'
import { TallyError } from '../../../errors.ts'
import { batchLimits, offsetsOf, readRecordBatch, smallestBatch } from './record-batch.ts'
import { markUnreadable } from './unreadable-batch.ts'
import { patchOf, requireInternal } from '../patch-of.ts'

/** The parts of the decoder of kafkajs that are used here. */
interface Decoder {
  buffer: Buffer
  offset: number
  readInt16(): number
  readInt32(): number
  readInt64(): bigint
  readString(): string
  readBytes(length: number): Buffer
  canReadBytes(length: number): boolean
  readArray<T>(read: (decoder: Decoder) => T): T[]
  readArrayAsync<T>(read: (decoder: Decoder) => Promise<T>): Promise<T[]>
}
interface Internals {
  Decoder: new (bytes: Buffer) => Decoder
  readMessageSet: (decoder: Decoder, size: number) => Promise<KafkaMessage[]>
}

/**
 * Replaces how kafkajs 2.2.4 decodes a fetch response (version 11, supported by every broker since 2.3). Its own decoder
 * decompresses without limit, knows only gzip, verifies no checksum, takes minutes for a record with 10,000 headers and
 * crashes on a batch with more records than a call may have arguments. Does nothing on any other version.
 */
export const patchFetchResponse = patchOf(() => {
  const internals: Internals = {
    Decoder: requireInternal('kafkajs/src/protocol/decoder') as Internals['Decoder'],
    readMessageSet: requireInternal('kafkajs/src/protocol/messageSet/decoder') as Internals['readMessageSet'],
  }
  const response = requireInternal('kafkajs/src/protocol/requests/fetch/v11/response') as { decode: unknown }
  response.decode = (bytes: Buffer) => readFetchResponse(bytes, internals)
})

async function readFetchResponse(bytes: Buffer, internals: Internals) {
  const decoder = new internals.Decoder(bytes)
  // All batches of one response are in memory together. What does not fit is fetched again
  const room = { bytes: batchLimits.total }
  const clientSideThrottleTime = decoder.readInt32()
  const errorCode = decoder.readInt16()
  const sessionId = decoder.readInt32()
  const responses = await decoder.readArrayAsync(async () => ({
    topicName: decoder.readString(),
    partitions: await decoder.readArrayAsync(async () => ({
      partition: decoder.readInt32(),
      errorCode: decoder.readInt16(),
      highWatermark: String(decoder.readInt64()),
      lastStableOffset: String(decoder.readInt64()),
      lastStartOffset: String(decoder.readInt64()),
      abortedTransactions: decoder.readArray(() => ({
        producerId: String(decoder.readInt64()),
        firstOffset: String(decoder.readInt64()),
      })),
      preferredReadReplica: decoder.readInt32(),
      messages: await readRecordSet(decoder, room, internals),
    })),
  }))
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses }
}

/** The first bytes of a batch, which hold its length and format; with fewer it cannot be recognized. */
const preambleBytes = 17
/** What a record takes in memory besides its content, about. Millions of empty records fit into 32 MB otherwise. */
const recordBytes = 200

async function readRecordSet(
  decoder: Decoder,
  room: { bytes: number },
  { Decoder, readMessageSet }: Internals,
): Promise<KafkaMessage[]> {
  const size = decoder.readInt32()
  if (size <= 0 || !decoder.canReadBytes(size)) return []
  return readBatches(decoder.readBytes(size), room, (older) => readMessageSet(new Decoder(older), older.length))
}

/**
 * The records of complete batches, up to the first batch that cannot be read; if that is the first one, a message that stands
 * for it (`findUnreadable`).
 * @param room is reduced by what was read
 * @param readOlder reads what was written before Kafka 0.11
 */
export async function readBatches(
  set: Buffer,
  room: { bytes: number },
  readOlder: (bytes: Buffer) => Promise<KafkaMessage[]>,
): Promise<KafkaMessage[]> {
  let messages: KafkaMessage[] = []
  for (let position = 0; set.length - position >= preambleBytes && room.bytes > 0; ) {
    const length = set.readInt32BE(position + 8)
    const end = position + 12 + length
    if (end > set.length) break // The broker truncates the last batch at the size limit
    const older = set.readInt8(position + 16) < 2
    try {
      // No headers, so not an event of Tally
      if (older) return messages.concat(await readOlder(set.subarray(position)))
      if (length < smallestBatch) throw new TallyError('INVARIANT', `a record batch of ${length} bytes`)
      const batch = await readRecordBatch(set.subarray(position, end))
      messages = messages.concat(batch.records)
      room.bytes -= batch.bytes + batch.records.length * recordBytes
    } catch (error) {
      if (messages.length > 0) break // It will be the first one of the next answer
      return [markUnreadable({ ...offsetsOf(set, position), error: error as Error })]
    }
    position = end
  }
  return messages
}
