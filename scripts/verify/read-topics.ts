import { randomUUID } from 'node:crypto'
import type { Consumer, Kafka, KafkaMessage } from 'kafkajs'
import { TallyError } from '../../infra/errors.ts'
import type { OffsetRange } from './tiling.ts'

/** Offsets by topic (name on the broker) and partition number. */
export type OffsetRanges = ReadonlyMap<string, readonly OffsetRange[]>

export interface ReadTopicsOptions {
  kafka: Kafka
  /** Begins the name of the throw-away group. */
  namespace: string
  ranges: OffsetRanges
  signal?: AbortSignal
  onRecords(topic: string, partition: number, records: readonly KafkaMessage[]): Promise<void>
}

/** What each partition holds now. */
export async function offsetRanges(kafka: Kafka, topics: readonly string[]): Promise<OffsetRanges> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    const ranges = new Map<string, OffsetRange[]>()
    for (const topic of topics) {
      const partitions = await admin.fetchTopicOffsets(topic)
      ranges.set(
        topic,
        partitions
          .toSorted((a, b) => a.partition - b.partition)
          .map(({ low, high }) => ({ low: Number(low), end: Number(high) })),
      )
    }
    return ranges
  } finally {
    await admin.disconnect()
  }
}

/**
 * Reads the partitions from their first to their last offset, no further, each in order. kafkajs reads in a group only: this
 * one has a name of its own, commits nothing and is deleted, so no other group notices.
 * @throws TallyError UNREACHABLE if the broker falls silent
 */
export async function readTopics({ kafka, namespace, ranges, signal, onRecords }: ReadTopicsOptions): Promise<void> {
  signal?.throwIfAborted()
  const left = unreadPartitions(ranges)
  if (left.size === 0) return
  const groupId = `${namespace}verify-${randomUUID()}`
  const consumer = kafka.consumer({
    groupId,
    maxWaitTimeInMs: 100,
    maxBytesPerPartition: 512_000,
    retry: { retries: 5 },
  })
  const { promise: finished, resolve, reject } = Promise.withResolvers<void>()
  finished.catch(() => {}) // It may fail before anyone waits for it
  const silence = watchSilence(() =>
    reject(new TallyError('UNREACHABLE', 'Kafka has sent nothing for 20 s: nothing can be verified')),
  )
  signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [...ranges.keys()], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch, heartbeat }) => {
        silence.heard()
        await heartbeat()
        const place = `${batch.topic}/${batch.partition}`
        const end = left.get(place)
        if (end === undefined) return
        try {
          const records = batch.messages.filter(({ offset }) => Number(offset) < end)
          await onRecords(batch.topic, batch.partition, records)
        } catch (error) {
          reject(error)
        }
        if (Number(batch.lastOffset()) >= end - 1) left.delete(place)
        if (left.size === 0) resolve()
      },
    })
    await finished
  } finally {
    silence.stop()
    await leaveNoGroup(kafka, consumer, groupId)
  }
}

/** End offsets of the partitions that hold anything, by place. */
function unreadPartitions(ranges: OffsetRanges): Map<string, number> {
  const left = new Map<string, number>()
  for (const [topic, partitions] of ranges) {
    for (const [partition, { low, end }] of partitions.entries()) if (end > low) left.set(`${topic}/${partition}`, end)
  }
  return left
}

function watchSilence(onSilence: () => void) {
  const timer = setTimeout(onSilence, 20_000)
  return { heard: () => void timer.refresh(), stop: () => clearTimeout(timer) }
}

async function leaveNoGroup(kafka: Kafka, consumer: Consumer, groupId: string): Promise<void> {
  await consumer.disconnect()
  const admin = kafka.admin()
  await admin.connect()
  await admin.deleteGroups([groupId]).catch(() => {}) // It may never have come to be, and the broker forgets it anyway
  await admin.disconnect()
}
