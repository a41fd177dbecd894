import { crc32c } from '../crc32c.ts'

export interface BatchBytes {
  /** @default 100 */
  offset?: number
  /** Records that it announces. */
  count: number
  /** Kafka's number of the compression of its content. @default 0, none */
  compression?: number
}

/** A record batch as the broker sends it. */
export function batchOf(content: Buffer, { offset = 100, count, compression = 0 }: BatchBytes): Buffer {
  const head = Buffer.alloc(61)
  head.writeBigInt64BE(BigInt(offset), 0)
  head.writeInt32BE(head.length + content.length - 12, 8)
  head.writeInt8(2, 16)
  head.writeInt16BE(compression, 21)
  head.writeInt32BE(count - 1, 23)
  head.writeBigInt64BE(1_700_000_000_000n, 27)
  head.writeInt32BE(count, 57)
  const batch = Buffer.concat([head, content])
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}
