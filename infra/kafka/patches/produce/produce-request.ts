import type { PackedRecords } from './packed-records.ts'
import { crc32c } from '../fetch/crc32c.ts'
import { RecordWriter } from './record-writer.ts'
import type { OutgoingMessage } from './record-writer.ts'
import { patchOf, requireInternal } from '../patch-of.ts'

const path = 'kafkajs/src/protocol/requests/produce/v7/request'

interface ProduceArguments {
  acks: number
  timeout: number
  transactionalId?: string | null
  producerId?: bigint | number | string | { toString(): string }
  producerEpoch?: number
  compression?: number
  topicData: readonly {
    topic: string
    partitions: readonly {
      partition: number
      firstSequence?: number
      messages: readonly Message[]
    }[]
  }[]
}
type Message = OutgoingMessage & { timestamp?: unknown; packed?: PackedRecords }

interface Encoder {
  buf: Buffer
  offset: number
}
interface ProduceRequest {
  apiKey: number
  apiVersion: number
  apiName: string
  expectResponse(): boolean
  encode(): Promise<Encoder>
}
export type MakeProduceRequest = (request: ProduceArguments) => ProduceRequest

let sendsPacked = false

/** Whether requests carry records that are packed already (`packedMessages`). */
export const canSendPacked = (): boolean => sendsPacked

/**
 * Packed records as the messages of one partition, as many as there are records: kafkajs counts messages for the sequence
 * numbers that the broker compares with the records.
 */
export function packedMessages(partition: number, packed: PackedRecords): (Placed & Pick<Message, 'packed'>)[] {
  const message = { partition, value: null, packed }
  return Array.from({ length: packed.count }, () => message)
}

interface Placed {
  partition: number
  value: null
}

/**
 * Replaces how kafkajs 2.2.4 encodes produce requests (version 7, supported by every broker since 2.1): one buffer for the
 * request instead of one for each record and header, and a CRC of eight bytes per step. The bytes are the same. Compressed
 * records and records with a timestamp are left to kafkajs. Does nothing on any other version.
 */
export const patchProduceRequest = patchOf(() => {
  const original = requireInternal(path) as MakeProduceRequest
  sendsPacked = true
  requireInternal.cache[requireInternal.resolve(path)]!.exports = fastProduceRequest(original)
})

/** Makes requests that encode to the same bytes as the original. */
export function fastProduceRequest(original: MakeProduceRequest): MakeProduceRequest {
  const Encoder = requireInternal('kafkajs/src/protocol/encoder') as new (bytes: number) => Encoder
  return (request) => {
    const made = original(request)
    const plain = request.topicData.every(({ partitions }) =>
      partitions.every(({ messages }) => messages.every(({ timestamp }) => timestamp === undefined)),
    )
    if (request.compression || !plain) return made
    return {
      ...made,
      encode: async () => {
        const bytes = encode(request)
        return Object.assign(new Encoder(1), { buf: bytes, offset: bytes.length })
      },
    }
  }
}

const bytesPerRecord = 700
const bytesPerBatch = 100

const sizeOf = ([first, ...more]: readonly Message[]): number =>
  bytesPerBatch + (first?.packed?.records.length ?? (more.length + 1) * bytesPerRecord)

function encode({ acks, timeout, transactionalId = null, topicData, ...producer }: ProduceArguments): Buffer {
  const bytes = topicData.reduce(
    (sum, { partitions }) => partitions.reduce((all, { messages }) => all + sizeOf(messages), sum),
    0,
  )
  const writer = new RecordWriter(1_024 + bytes)
  writer.nullableString(transactionalId)
  writer.int16(acks)
  writer.int32(timeout)
  writer.int32(topicData.length)
  for (const { topic, partitions } of topicData) {
    writer.nullableString(topic)
    writer.int32(partitions.length)
    for (const { partition, messages, firstSequence = 0 } of partitions) {
      writer.int32(partition)
      writeBatch(writer, messages, { ...producer, firstSequence, transactional: Boolean(transactionalId) })
    }
  }
  return writer.written()
}

const transactionalMask = 16
const magic = 2

/** Writes the length twice: as bytes of the request and in the batch. */
function writeBatch(
  writer: RecordWriter,
  messages: readonly Message[],
  {
    producerId = -1,
    producerEpoch = 0,
    firstSequence,
    transactional,
  }: Pick<ProduceArguments, 'producerId' | 'producerEpoch'> & { firstSequence: number; transactional: boolean },
): void {
  const now = BigInt(Date.now())
  const packed = messages[0]?.packed
  const sizeAt = writer.length
  writer.int32(0)
  writer.int64(0n) // First offset: assigned by the broker
  const lengthAt = writer.length
  writer.int32(0)
  writer.int32(0) // Leader epoch
  writer.int8(magic)
  const crcAt = writer.length
  writer.int32(0)
  const guarded = writer.length
  writer.int16((transactional ? transactionalMask : 0) | (packed?.compression ?? 0))
  writer.int32(messages.length - 1)
  writer.int64(now)
  writer.int64(now)
  writer.int64(BigInt(String(producerId)))
  writer.int16(producerEpoch)
  writer.int32(firstSequence)
  writer.int32(messages.length)
  if (packed) writer.raw(packed.records)
  else for (const [index, message] of messages.entries()) writer.record(index, message)
  writer.uint32(crc32c(writer.written(guarded)), crcAt)
  writer.int32(writer.length - lengthAt - 4, lengthAt)
  writer.int32(writer.length - sizeAt - 4, sizeAt)
}
