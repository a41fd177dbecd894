import type { Kafka, KafkaMessage } from 'kafkajs'
import { isTallyError } from '../../infra/errors.ts'
import type { Codec } from '../../schemas/codec/codec.ts'
import { fromHeaders } from '../../schemas/envelope.ts'
import { laneOf } from '../../schemas/partition.ts'
import { carries, keyOf } from '../../schemas/topics.ts'
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
  readonly records: number
  readonly fold: Fold
  readonly publications: Publications
  /** By `topic/type`: an unreadable record may name a type of another topic, and only readers of this topic see it. */
  readonly types: ReadonlyMap<string, TypeCount>
  /** Records without a type, by topic. Every group that reads the topic parks them. */
  readonly untyped: ReadonlyMap<string, TypeCount>
  /**
   * Places of records that no consumer can process: undecodable, in a batch that cannot be read, on another topic than their
   * type's, or in another partition than their key's.
   */
  readonly unusable: readonly string[]
}

export interface ReadHistoryOptions {
  kafka: Kafka
  codec: Codec
  namespace: string
  /** Names without namespace. */
  topics: readonly string[]
  signal?: AbortSignal
}

/** @throws TallyError UNREACHABLE if Kafka or the registry does not answer */
export async function readHistory({
  kafka,
  codec,
  namespace,
  topics,
  signal,
}: ReadHistoryOptions): Promise<TopicHistory> {
  const onBroker = await offsetRanges(
    kafka,
    topics.map((topic) => namespace + topic),
  )
  const ranges = new Map([...onBroker].map(([topic, partitions]) => [topic.slice(namespace.length), partitions]))
  const fold = createFold()
  const publications = createPublications()
  const types = new Map<string, TypeCount>()
  const untyped = new Map<string, TypeCount>()
  const unusable: string[] = []
  const known = new Set<string>()
  let records = 0

  const take = (topic: string, partition: number, message: KafkaMessage) => {
    records++
    const place = `${topic}/${partition}`
    const envelope = fromHeaders(message.headers)
    const { id = `${place}/${message.offset}`, source, sourceLane, sequence, typeName } = envelope
    const eventId = id.toLowerCase()
    if (sourceLane !== undefined && sequence !== undefined) {
      publications.take({ lane: sourceLane, sequence, eventId, place })
    }
    const schemaId = codec.schemaIdOf(message.value)
    const type = (schemaId === undefined ? undefined : codec.typeOf(schemaId)) ?? envelope.type
    if (type === undefined && typeName !== undefined) return // A type newer than this code: no group handles it
    const seen = type === undefined ? countOf(untyped, topic) : countOf(types, `${topic}/${type}`)
    const event = decode(codec, message)
    const lane = event && laneOf(keyOf(event.data), ranges.get(topic)?.length ?? 1)
    const usable = event && carries(topic, event.type) && lane === partition
    // As in the inbox: an unprocessable record is identified by its place, so its id stays free for the corrected event
    const knownAs = usable ? eventId : `${place}/${message.offset}`
    if (known.has(knownAs)) {
      seen.repeats++
      return
    }
    known.add(knownAs)
    seen.events++
    if (usable) fold.take({ ...event, id: eventId, source } as FoldEvent)
    else unusable.push(`${place} offset ${message.offset}`)
  }
  await readTopics({
    kafka,
    namespace,
    ranges: onBroker,
    signal,
    onRecords: async (topic, partition, messages) => {
      await codec.learn(messages.map(({ value }) => codec.schemaIdOf(value)).filter((id) => id !== undefined))
      for (const message of messages) take(topic.slice(namespace.length), partition, message)
    },
    onUnreadable: (topic, partition, { from, to }) =>
      unusable.push(`${topic.slice(namespace.length)}/${partition} offsets ${from} to ${to - 1}`),
  })
  return { ranges, records, fold, publications, types, untyped, unusable }
}

function countOf(counts: Map<string, TypeCount>, key: string): TypeCount {
  const count = counts.get(key) ?? { events: 0, repeats: 0 }
  counts.set(key, count)
  return count
}

function decode(codec: Codec, { value }: KafkaMessage): Pick<FoldEvent, 'type' | 'data'> | undefined {
  try {
    return codec.decode(value) as Pick<FoldEvent, 'type' | 'data'>
  } catch (error) {
    if (isTallyError(error, 'UNREADABLE')) return undefined
    throw error
  }
}
