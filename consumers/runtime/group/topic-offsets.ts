import type { Admin, Batch, Kafka } from 'kafkajs'
import { TallyError } from '../../../infra/errors.ts'
import { askKept, keptAdmin, withAdmin } from '../../../infra/kafka/admin.ts'
import { keptConnection } from '../../../infra/kafka/send-request.ts'
import { existingTopics } from '../../../infra/kafka/reading/existing-topics.ts'
import { readTopicIds } from '../../../infra/kafka/topic-ids.ts'
import type { TopicStart } from '../tables/ledger.ts'

export interface TopicOffsetsOptions {
  kafka: Kafka
  namespace: string
  /** Without namespace. */
  topics: readonly string[]
  /** Partition count the pipeline was deployed with. */
  partitions: number
  /** Where the group begins in a topic it has never read. @default 'first' */
  begins?: 'first' | 'now'
  /** @default asks the brokers */
  readIds?: typeof readTopicIds
}

interface Stretch {
  from: number
  to: number
}

/** The broker's view of the topics a group reads: their ids, partition counts and available offsets. */
export class TopicOffsets {
  private readonly options: TopicOffsetsOptions
  private readonly ids = new Map<string, string>()
  /** The id of each topic when a lane was last claimed, by place. */
  private readonly claimed = new Map<string, string>()
  private known: Promise<void>
  /** Questions for the ids: an answer that a later question has overtaken tells the past. */
  private questions = { asked: 0, answered: 0 }
  private readonly starting = new Map<string, ReadonlyMap<number, { low: number; high: number }>>()
  private readonly passed = new Map<string, Stretch[]>()
  private readonly gaps = new Map<string, number>()
  /** For the regular questions of a replica. */
  private readonly kept: { admin: ReturnType<typeof keptAdmin>; connection: ReturnType<typeof keptConnection> }

  private constructor(options: TopicOffsetsOptions) {
    this.options = options
    this.kept = { admin: keptAdmin(options.kafka), connection: keptConnection(options.kafka) }
    this.known = this.refresh()
  }

  /** @throws TallyError CONFIG_INVALID if a topic is missing or its partition count differs from the pipeline's */
  static async open(options: TopicOffsetsOptions): Promise<TopicOffsets> {
    const offsets = new TopicOffsets(options)
    await Promise.all([offsets.known, withAdmin(options.kafka, (admin) => offsets.check(admin))])
    return offsets
  }

  /** Reads the topics' ids again; lanes start and topics are read only after the answer. Call at every join. */
  refresh(): Promise<void> {
    const asking = this.readIds(this.options.kafka)
    this.known = asking
    asking.catch(() => {}) // Callers that await `known` handle the error
    return asking
  }

  /**
   * Reads the ids again, over a connection that stays. Nothing waits for the answer, because the broker at the other end may
   * be frozen; if there is none, others are asked. Never rejects.
   */
  async refreshRegularly(): Promise<void> {
    await this.readIds(this.kept.connection)
      .catch(() => this.refresh())
      .catch(() => {})
  }

  private async readIds(from: Parameters<typeof readTopicIds>[0]): Promise<void> {
    const { topics, readIds = readTopicIds } = this.options
    const question = ++this.questions.asked
    const ids = await readIds(
      from,
      topics.map((topic) => this.onBroker(topic)),
    )
    if (question < this.questions.answered) return
    this.questions.answered = question
    for (const [topic, id] of ids) this.ids.set(topic, id)
  }

  /**
   * The lane's topics at a claim, which is refused if the ledger knows them by another id.
   * @throws TallyError UNREACHABLE
   */
  async starts(lane: number): Promise<TopicStart[]> {
    await this.known.catch(() => this.refresh())
    return this.options.topics.map((topic) => {
      const id = this.topicId(topic)
      if (id !== undefined) this.claimed.set(`${topic}/${lane}`, id)
      const { low, high } = this.starting.get(topic)?.get(lane) ?? { low: 0, high: 0 }
      return { topic, topicId: this.topicId(topic), low, begin: this.options.begins === 'now' ? high : low }
    })
  }

  /**
   * Resolves when it is certain that a topic was not re-created since the lane was claimed.
   * @throws TallyError LANE_STOPPED if it was deleted and created again; UNREACHABLE
   */
  async settled(topic: string, lane: number): Promise<void> {
    await this.known.catch(() => this.refresh())
    const claimed = this.claimed.get(`${topic}/${lane}`)
    if (claimed === undefined || claimed === this.topicId(topic)) return
    throw new TallyError('LANE_STOPPED', `topic ${topic} was re-created: its offsets now denote other events`)
  }

  topicId(topic: string): string | undefined {
    return this.ids.get(this.onBroker(topic))
  }

  /** Records offsets that kafkajs has read and skipped: aborted transactions and control records. */
  passOver(topic: string, partition: number, firstOffset: number, lastOffset: number): void {
    const place = `${topic}/${partition}`
    const stretches = this.passed.get(place) ?? []
    this.passed.set(place, [...stretches.slice(-99), { from: firstOffset, to: lastOffset + 1 }])
  }

  /** The position after any skipped offsets that directly follow `position`. */
  beyondPassed(topic: string, partition: number, position: number): number {
    let reached = position
    for (const { from, to } of this.passed.get(`${topic}/${partition}`) ?? [])
      if (from <= reached && to > reached) reached = to
    return reached
  }

  /** Whether no record between `position` and the batch's first message can have been missed. */
  follows(topic: string, batch: Batch, position: number): boolean {
    const place = `${topic}/${batch.partition}`
    // The offset that kafkajs requested; its type declarations omit this field
    const fetched = Number((batch as Batch & { fetchedOffset: string | number }).fetchedOffset)
    // Not fetched at the position: most likely the fetch is stale, but the topic may also have been re-created
    if (fetched !== position) void this.refresh()
    if (Number(batch.firstOffset()) <= position && Number(batch.lastOffset()) >= position) return true
    // Offsets that were requested at the position and not delivered have no record (compaction) or were skipped
    if (this.beyondPassed(topic, batch.partition, position) !== fetched) return false
    this.passed.delete(place)
    return true
  }

  /**
   * Explains why a batch does not follow the lane's position. kafkajs silently starts elsewhere if the broker no longer
   * has an offset. The first gap at a position may be due to a stale fetch, and fetching again helps; at the second
   * one, the broker is asked.
   * @returns why the records at `position` cannot be read, or undefined if they can
   */
  async explainGap(topic: string, partition: number, position: number): Promise<string | undefined> {
    const place = `${topic}/${partition}`
    if (this.gaps.get(place) !== position) {
      this.gaps.set(place, position)
      return undefined
    }
    return whyLost(place, position, (await this.extents([topic])).get(place))
  }

  /**
   * First offset and last stable offset of each partition, by place (`orders/3`): an open transaction ends what can be
   * read.
   * @param topics without namespace
   * @param kept asks over connections that stay: as far as leaders moved in the last minute, the answer may be the past
   * @throws errors of kafkajs if no broker answers
   */
  extents(topics: readonly string[], kept = false): Promise<Map<string, { low: number; end: number }>> {
    const read = async (admin: Admin) => {
      const extents = new Map<string, { low: number; end: number }>()
      for (const topic of topics)
        for (const { partition, low, high } of await admin.fetchTopicOffsets(this.onBroker(topic)))
          extents.set(`${topic}/${partition}`, { low: Number(low), end: Number(high) })
      return extents
    }
    return kept ? askKept(this.kept.admin, read) : withAdmin(this.options.kafka, read)
  }

  /**
   * Next offset of each partition, by topic.
   * @throws errors of kafkajs if no broker answers
   */
  ends(): Promise<Map<string, number[]>> {
    return withAdmin(this.options.kafka, async (admin) => {
      const ends = new Map<string, number[]>()
      for (const topic of this.options.topics) {
        const offsets: number[] = []
        for (const { partition, high } of await admin.fetchTopicOffsets(this.onBroker(topic)))
          offsets[partition] = Number(high)
        ends.set(topic, offsets)
      }
      return ends
    })
  }

  /** Closes what was kept open. */
  stop(): void {
    this.kept.admin.close()
    this.kept.connection.close()
  }

  private async check(admin: Admin): Promise<void> {
    const { topics, partitions } = this.options
    const names = topics.map((topic) => this.onBroker(topic))
    const existing = await existingTopics(this.options.kafka, admin, names)
    const missing = names.filter((name) => !existing.has(name))
    if (missing.length > 0) {
      throw new TallyError(
        'CONFIG_INVALID',
        `topic ${missing.join(', ')} does not exist: create it with \`npm run deploy\``,
      )
    }
    for (const topic of topics) {
      const offsets = await admin.fetchTopicOffsets(this.onBroker(topic))
      if (offsets.length !== partitions) {
        throw new TallyError(
          'CONFIG_INVALID',
          `topic ${this.onBroker(topic)} has ${offsets.length} partitions, not ${partitions}: keys would change lanes. Set TALLY_PARTITIONS to what the topics were created with`,
        )
      }
      this.starting.set(
        topic,
        new Map(offsets.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }])),
      )
    }
  }

  private onBroker(topic: string): string {
    return `${this.options.namespace}${topic}`
  }
}

/**
 * Why the records at a position can no longer be read; undefined if they can.
 * @param place `orders/3`
 * @param extent of the partition, read after the position
 */
export function whyLost(
  place: string,
  position: number,
  extent: { readonly low: number; readonly end: number } | undefined,
): string | undefined {
  if (!extent) return `${place} no longer exists`
  const { low, end } = extent
  if (low > position)
    return `${place}: records from offset ${position} to ${low - 1} were deleted before this group read them`
  if (end < position)
    return `${place} ends at offset ${end} but this group has read up to ${position}: the topic was re-created or truncated`
  return undefined
}
