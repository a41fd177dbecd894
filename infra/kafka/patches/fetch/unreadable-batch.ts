import type { KafkaMessage } from 'kafkajs'

/** A record batch of which nothing can be read. */
export interface UnreadableBatch {
  readonly error: Error
  /** Its offsets, `[from, to)`. If it is the last one and damaged, `to` is what the damaged batch says. */
  readonly from: number
  readonly to: number
}

const found = new WeakMap<KafkaMessage, UnreadableBatch>()

/**
 * A message that stands for the batch, alone in the answer for its partition: an error would end the fetch from that broker,
 * for all partitions. Its offset is beyond all others, so that kafkajs hands it out wherever reading began.
 */
export function markUnreadable(batch: UnreadableBatch): KafkaMessage {
  const offset = String(Number.MAX_SAFE_INTEGER)
  const known = { attributes: 0, timestamp: '-1', offset, key: null, value: null, headers: {} }
  const internal = { isControlRecord: false, batchContext: { producerId: '-1', inTransaction: false } }
  const message = { ...known, ...internal } as KafkaMessage
  found.set(message, batch)
  return message
}

/** The batch at which reading stopped; undefined if the messages are records. */
export const findUnreadable = (messages: readonly KafkaMessage[]): UnreadableBatch | undefined =>
  messages[0] && found.get(messages[0])
