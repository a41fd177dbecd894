import type { Kafka, KafkaMessage } from 'kafkajs'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { Codec } from '../../schemas/codec/codec.ts'
import { readRecordInput, typeOfRecord } from '../../consumers/runtime/batch/read-records.ts'
import type { EventType } from '../../schemas/generated/events.ts'
import { fromHeaders } from '../../schemas/envelope.ts'
import { createActs } from './acts/acts.ts'
import type { Acts } from './acts/acts.ts'
import { deletedBefore } from './deleted-before.ts'
import { createFold } from './fold.ts'
import type { Fold, FoldEvent } from './fold.ts'
import { createPublications } from './publications.ts'
import type { Publications } from './publications.ts'
import type { OffsetRanges } from './read-topics.ts'
import { offsetRanges, readTopics } from './read-topics.ts'

/** How many records of one type a topic holds. */
export interface TypeCount {
  /** Different events. */
  events: number
  /** Records that repeat an earlier event. */
  repeats: number
}

/** All topics, read from their first offset to the end they had when reading began. */
export interface TopicHistory {
  /** By topic without namespace. */
  readonly ranges: OffsetRanges
  /** Time of the first record of each partition, by place (`orders/3`), UTC epoch ms; without one, what was deleted is older. */
  readonly begun: ReadonlyMap<string, number>
  readonly records: number
  readonly fold: Fold
  readonly publications: Publications
  /** By `topic/type`: an unreadable record may name a type of another topic, and only readers of this topic see it. */
  readonly types: ReadonlyMap<string, TypeCount>
  /** Records of types that this version does not know, by topic and name of the type. Every group ignores them. */
  readonly newer: ReadonlyMap<string, number>
  /** Records that no group ignores, by topic: every one that reads the topic parks them. */
  readonly untyped: ReadonlyMap<string, TypeCount>
  /**
   * Places of records that no consumer can process: undecodable, in a batch that cannot be read, on another topic than their
   * type's, or in another partition than their key's.
   */
  readonly unusable: readonly string[]
}

export interface ReadHistoryOptions {
  kafka: Kafka
  pool: Pool
  codec: Codec
  namespace: string
  /** Names without namespace. */
  topics: readonly string[]
  /** @default none */
  acts?: Acts
  signal?: AbortSignal
  /** Called for each event that can be processed, once, however often the topics have it. @param id in lower case, if it has one */
  onEvent?(event: { topic: string; type: EventType; id: string | undefined; place: string }): void
}

/** @throws TallyError UNREACHABLE if Kafka or the registry does not answer */
export async function readHistory({
  kafka,
  pool,
  codec,
  namespace,
  topics,
  acts = createActs([]),
  signal,
  onEvent,
}: ReadHistoryOptions): Promise<TopicHistory> {
  const onBroker = await offsetRanges(
    kafka,
    topics.map((topic) => namespace + topic),
  )
  const ranges = new Map([...onBroker].map(([topic, partitions]) => [topic.slice(namespace.length), partitions]))
  const fold = createFold()
  const publications = createPublications()
  const types = new Map<string, TypeCount>()
  const newer = new Map<string, number>()
  const untyped = new Map<string, TypeCount>()
  const unusable: string[] = []
  const known = new Set<string>()
  const keptSince = await deletedBefore(kafka, pool, [...onBroker.keys()])
  const begun = new Map<string, number>()
  let records = 0

  const take = (topic: string, partition: number, message: KafkaMessage) => {
    records++
    const place = `${topic}/${partition}`
    if (!begun.has(place)) begun.set(place, Number(message.timestamp))
    const envelope = fromHeaders(message.headers)
    const { id = `${place}/${message.offset}`, source, sourceLane, sequence } = envelope
    const eventId = id.toLowerCase()
    if (sourceLane !== undefined && sequence !== undefined) {
      publications.take({ lane: sourceLane, sequence, eventId, place })
    }
    const type = typeOfRecord(message, codec.schemaIdOf(message.value), { codec, topic })
    if (type === 'newer') {
      const name = `${topic}: ${envelope.typeName}`
      newer.set(name, (newer.get(name) ?? 0) + 1)
      return
    }
    const seen = type === undefined ? countOf(untyped, topic) : countOf(types, `${topic}/${type}`)
    const partitions = ranges.get(topic)?.length ?? 1
    const read = (value: Buffer | null) =>
      readRecordInput({ ...message, value }, () => `${place}/${message.offset}`, {
        codec,
        partitions,
        topic,
        partition,
      })
    // By the consumers' own rules, and known as in the inbox: what cannot be processed by its place, so that its id stays free
    const original = read(message.value)
    const act = acts.at({ topic, partition, offset: Number(message.offset) }, type)
    if (act) acts.concern(original.key, act)
    if (known.has(original.inboxId)) {
      seen.repeats++
      return
    }
    if (!act?.skipped) known.add(original.inboxId) // A repeat of a skipped event takes effect
    seen.events++
    const at = `${place} offset ${message.offset}`
    if (!original.event) unusable.push(at)
    else onEvent?.({ topic, type: original.event.type, id: envelope.id?.toLowerCase(), place: at })
    const decided = act?.value ? read(act.value) : original
    if (act) acts.concern(decided.key, act)
    if (act?.without || !decided.event) return
    if (decided !== original && decided.inboxId !== original.inboxId) {
      if (known.has(decided.inboxId)) return // The corrected event was published by hand as well
      known.add(decided.inboxId)
    }
    fold.take({ ...decided.event, id: eventId, source, recordedAt: Number(message.timestamp) } as FoldEvent)
  }
  const learn = (values: readonly (Buffer | null)[]) =>
    codec.learn(values.map((value) => codec.schemaIdOf(value)).filter((schemaId) => schemaId !== undefined))
  await learn(acts.values)
  await readTopics({
    kafka,
    namespace,
    ranges: onBroker,
    signal,
    onRecords: async (topic, partition, messages) => {
      await learn(messages.map(({ value }) => value))
      for (const message of messages) take(topic.slice(namespace.length), partition, message)
    },
    onUnreadable: (topic, partition, { from, to }) =>
      unusable.push(`${topic.slice(namespace.length)}/${partition} offsets ${from} to ${to - 1}`),
  })
  for (const [topic, partitions] of ranges)
    for (const partition of partitions.keys()) {
      const place = `${topic}/${partition}`
      if (!begun.has(place)) begun.set(place, keptSince.get(namespace + topic) ?? -Infinity)
    }
  return { ranges, begun, records, fold, publications, types, newer, untyped, unusable }
}

function countOf(counts: Map<string, TypeCount>, key: string): TypeCount {
  const count = counts.get(key) ?? { events: 0, repeats: 0 }
  counts.set(key, count)
  return count
}
