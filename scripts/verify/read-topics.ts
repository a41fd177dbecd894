import { randomUUID } from 'node:crypto'
import type { Consumer, Kafka, KafkaMessage } from 'kafkajs'
import { isTallyError, TallyError } from '../../infra/errors.ts'
import { withAdmin } from '../../infra/kafka/admin.ts'
import { findUnreadable } from '../../infra/kafka/patches/fetch/unreadable-batch.ts'
import type { UnreadableBatch } from '../../infra/kafka/patches/fetch/unreadable-batch.ts'
import type { OffsetRange } from '../../consumers/operations/tiling.ts'

/** Offsets by topic (name on the broker) and partition number. */
export type OffsetRanges = ReadonlyMap<string, readonly OffsetRange[]>

export interface ReadTopicsOptions {
  kafka: Kafka
  /** Prefix of the temporary group's name. */
  namespace: string
  ranges: OffsetRanges
  signal?: AbortSignal
  onRecords(topic: string, partition: number, records: readonly KafkaMessage[]): Promise<void>
  /** Told of a record batch of which nothing can be read, which is then passed over. @default reading fails */
  onUnreadable?(topic: string, partition: number, batch: UnreadableBatch): void
}

/**
 * Reads the first offset and the end of each partition.
 * @throws TallyError UNREACHABLE
 */
export async function offsetRanges(kafka: Kafka, topics: readonly string[]): Promise<OffsetRanges> {
  try {
    return await withAdmin(kafka, async (admin) => {
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
    })
  } catch (error) {
    throw unreachable(error)
  }
}

/**
 * Reads the partitions from their first to their last offset, each in order. kafkajs can read only as a member of a group:
 * this one is temporary, commits nothing and is deleted at the end.
 * @throws TallyError UNREACHABLE if the broker sends nothing for 20 s
 */
export async function readTopics(options: ReadTopicsOptions): Promise<void> {
  const { kafka, namespace, ranges, signal, onRecords, onUnreadable } = options
  signal?.throwIfAborted()
  const left = unreadPartitions(ranges)
  const met = new Map<string, number>() // How often a batch could not be read
  if (left.size === 0) return
  const groupId = `${namespace}verify-${randomUUID()}`
  const consumer = kafka.consumer({
    groupId,
    maxWaitTimeInMs: 100,
    maxBytesPerPartition: 512_000,
    retry: { retries: 5 },
  })
  const { promise: finished, resolve, reject } = Promise.withResolvers<void>()
  finished.catch(() => {}) // It may reject before it is awaited
  const silence = watchSilence(() => reject(new TallyError('UNREACHABLE', 'Kafka has sent nothing for 20 s')))
  signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  // Markers of transactions and aborted records at the end are skipped by the client without a batch
  consumer.on('consumer.end_batch_process', ({ payload: { topic, partition, batchSize, lastOffset } }) => {
    const place = `${topic}/${partition}`
    const wanted = left.get(place)
    if (batchSize > 0 || !wanted) return
    silence.heard()
    wanted.low = Math.max(wanted.low, Number(lastOffset) + 1)
    if (wanted.low >= wanted.end) left.delete(place)
    if (left.size === 0) resolve()
  })
  consumer.on('consumer.crash', ({ payload }) => !payload.restart && reject(payload.error))
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [...ranges.keys()], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch, heartbeat }) => {
        silence.heard()
        await heartbeat()
        const { topic, partition } = batch
        const place = `${topic}/${partition}`
        const wanted = left.get(place)
        if (!wanted) return
        const advance = (to: number) => {
          met.delete(place)
          wanted.low = to
          if (to >= wanted.end) left.delete(place)
          if (left.size === 0) resolve()
        }
        const unreadable = findUnreadable(batch.messages)
        if (unreadable) {
          const times = (met.get(place) ?? 0) + 1
          met.set(place, times)
          if (!onUnreadable || times > 100) return reject(unreadable.error) // Its end is damaged, too
          // The first time, the bytes may have been damaged on the way
          const to = times === 1 ? wanted.low : Math.max(unreadable.to, wanted.low)
          consumer.seek({ topic, partition, offset: String(to) })
          if (to === wanted.low) return
          onUnreadable(topic, partition, unreadable)
          return advance(to)
        }
        const { low: from, end } = wanted
        const records = batch.messages.filter(({ offset }) => Number(offset) >= from && Number(offset) < end)
        try {
          await onRecords(topic, partition, records)
        } catch (error) {
          return reject(error)
        }
        // A consumer that kafkajs restarts reads from the beginning: skip what was read before
        advance(Number(batch.lastOffset()) + 1)
      },
    })
    await finished
  } catch (error) {
    throw signal?.aborted ? error : unreachable(error)
  } finally {
    silence.stop()
    await leaveNoGroup(kafka, consumer, groupId)
  }
}

const unreachable = (cause: unknown): TallyError =>
  isTallyError(cause) ? cause : new TallyError('UNREACHABLE', 'Kafka gave an unexpected answer', { cause })

/** The ranges still to be read, by topic and partition. */
function unreadPartitions(ranges: OffsetRanges): Map<string, OffsetRange> {
  const left = new Map<string, OffsetRange>()
  for (const [topic, partitions] of ranges) {
    for (const [partition, { low, end }] of partitions.entries()) {
      if (end > low) left.set(`${topic}/${partition}`, { low, end })
    }
  }
  return left
}

function watchSilence(onSilence: () => void) {
  const timer = setTimeout(onSilence, 20_000)
  return { heard: () => void timer.refresh(), stop: () => clearTimeout(timer) }
}

async function leaveNoGroup(kafka: Kafka, consumer: Consumer, groupId: string): Promise<void> {
  try {
    await consumer.disconnect()
    await withAdmin(kafka, (admin) => admin.deleteGroups([groupId]))
  } catch {
    // A failure here must not hide the verdict or an earlier error; the broker expires the group anyway
  }
}
