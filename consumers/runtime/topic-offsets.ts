import type { Admin, Batch, Kafka } from 'kafkajs'
import { TallyError } from '../../infra/errors.ts'
import { readTopicIds } from '../../infra/topic-ids.ts'
import type { TopicStart } from './ledger.ts'

export interface TopicOffsetsOptions {
  kafka: Kafka
  brokers: readonly string[]
  namespace: string
  /** Without namespace. */
  topics: readonly string[]
  /** Partition count the pipeline was deployed with. */
  partitions: number
}

/** What the broker says of the topics a group reads: their ids, partition counts and the offsets it still has. */
export class TopicOffsets {
  private readonly kafka: Kafka
  private readonly namespace: string
  private readonly topics: readonly string[]
  private readonly ids: ReadonlyMap<string, string>
  private readonly lows: ReadonlyMap<string, ReadonlyMap<number, number>>
  private readonly gaps = new Map<string, number>()

  private constructor(
    kafka: Kafka,
    namespace: string,
    topics: readonly string[],
    ids: ReadonlyMap<string, string>,
    lows: ReadonlyMap<string, ReadonlyMap<number, number>>,
  ) {
    this.kafka = kafka
    this.namespace = namespace
    this.topics = topics
    this.ids = ids
    this.lows = lows
  }

  /**
   * @throws TallyError LANE_STOPPED if a topic is missing or has another partition count than the pipeline
   */
  static open({ kafka, brokers, namespace, topics, partitions }: TopicOffsetsOptions): Promise<TopicOffsets> {
    return withAdmin(kafka, async (admin) => {
      const onBroker = topics.map((topic) => `${namespace}${topic}`)
      const existing = new Set(await admin.listTopics())
      const missing = onBroker.filter((topic) => !existing.has(topic))
      if (missing.length > 0) {
        throw new TallyError(
          'LANE_STOPPED',
          `topic ${missing.join(', ')} does not exist: create it with \`npm run deploy\``,
        )
      }
      const metadata = await admin.fetchTopicMetadata({ topics: onBroker })
      for (const { name, partitions: found } of metadata.topics) {
        if (found.length === partitions) continue
        throw new TallyError(
          'LANE_STOPPED',
          `topic ${name} has ${found.length} partitions, not ${partitions}: keys would change lanes. Set TALLY_PARTITIONS to what the topics were created with`,
        )
      }
      const lows = new Map<string, Map<number, number>>()
      for (const topic of topics) {
        const offsets = await admin.fetchTopicOffsets(`${namespace}${topic}`)
        lows.set(topic, new Map(offsets.map(({ partition, low }) => [partition, Number(low)])))
      }
      const ids = await readTopicIds(brokers, onBroker)
      return new TopicOffsets(kafka, namespace, topics, ids, lows)
    })
  }

  starts(lane: number): TopicStart[] {
    return this.topics.map((topic) => ({
      topic,
      topicId: this.ids.get(`${this.namespace}${topic}`),
      low: this.lows.get(topic)?.get(lane) ?? 0,
    }))
  }

  /** Whether nothing between `position` and the batch's first message can have been missed. */
  follows(batch: Batch, position: number): boolean {
    // kafkajs keeps the offset it asked for. If that was ours, offsets missing after it have no record (compaction, control records)
    const { fetchedOffset } = batch as Batch & { fetchedOffset: string | number }
    return (
      Number(fetchedOffset) === position ||
      (Number(batch.firstOffset()) <= position && Number(batch.lastOffset()) >= position)
    )
  }

  /**
   * kafkajs silently starts elsewhere when the broker does not have an offset any more. Seen once, that is a stale fetch and
   * seeking again helps; seen twice at one position, the broker is asked.
   * @returns why the records at `position` cannot be read, or undefined if they can
   */
  async explainGap(topic: string, partition: number, position: number): Promise<string | undefined> {
    const place = `${topic}/${partition}`
    if (this.gaps.get(place) !== position) {
      this.gaps.set(place, position)
      return undefined
    }
    const offsets = await withAdmin(this.kafka, (admin) => admin.fetchTopicOffsets(`${this.namespace}${topic}`))
    const found = offsets.find((offset) => offset.partition === partition)
    if (!found) return `${place} does not exist any more`
    if (Number(found.low) > position) {
      return `${place}: records from offset ${position} to ${found.low} were deleted before this group read them`
    }
    if (Number(found.high) < position) {
      return `${place} ends at offset ${found.high} but this group has read up to ${position}: the topic was re-created or cut`
    }
    return undefined
  }
}

async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}
