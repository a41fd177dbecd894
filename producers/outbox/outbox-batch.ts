import { joinRecords, packRecords, unpackRecords } from '../../infra/kafka/patches/produce/packed-records.ts'
import type { PackedRecords, PackLimits } from '../../infra/kafka/patches/produce/packed-records.ts'
import { inGeneration } from '../../schemas/topics.ts'

/**
 * Events of one lane and topic that a transaction wants published, encoded as they are sent and numbered without gaps:
 * `count` of them from `first` to `last`.
 */
export interface OutboxBatch extends PackedRecords {
  readonly lane: number
  readonly first: number
  readonly last: number
  /** Without namespace. */
  readonly topic: string
  /** Epoch ms. */
  readonly writtenAt: number
  /** The first number of the table's row, for a later piece of a row that was cut. */
  readonly rowFirst?: number
}

/** An event without a number yet. */
export interface UnnumberedEvent {
  eventId: string
  /** Without namespace. */
  topic: string
  key: string
  headers: Record<string, string>
  value: Buffer
}

/** An event as the outbox holds it. */
export interface OutboxEvent extends UnnumberedEvent {
  lane: number
  seq: number
}

export interface Numbering {
  /** As in `ce_sourcelane`. */
  writer: string
  lane: number
  firstSeq: number
  /** Of the topics the events go to. */
  generation: number
}

/**
 * Numbers a lane's events from `firstSeq` on, topic by topic, and adds lane and number to their headers (`ce_sourcelane`,
 * `ce_sequence`), so that a reader of the topics can check that none is missing. The topics' generation is fixed here
 * as well, under the lane's lock, so that the publisher of the rows need not know it.
 */
export function numberEvents(
  events: readonly UnnumberedEvent[],
  { writer, lane, firstSeq, generation }: Numbering,
): OutboxBatch[] {
  const batches: OutboxBatch[] = []
  const source = `${writer}/${lane}`
  const writtenAt = Date.now()
  let next = firstSeq
  for (const [topic, own] of Map.groupBy(events, (event) => event.topic)) {
    const messages = own.map(({ key, value, headers }, index) => ({
      key,
      value,
      headers: { ...headers, ce_sourcelane: source, ce_sequence: String(next + index) },
    }))
    for (const packed of packRecords(messages)) {
      batches.push({ ...packed, lane, topic: inGeneration(topic, generation), writtenAt, ...numbersOf(packed, next) })
      next += packed.count
    }
  }
  return batches
}

/** Events in these batches. */
export const countEvents = (batches: readonly Pick<OutboxBatch, 'count'>[]): number =>
  batches.reduce((sum, { count }) => sum + count, 0)

/** The events of a batch, in order. */
export function eventsOf(batch: OutboxBatch): OutboxEvent[] {
  const { lane, first, topic } = batch
  return unpackRecords(batch).map(({ key, value, headers: bytes }, index) => {
    const headers = Object.fromEntries(Object.entries(bytes).map(([name, text]) => [name, String(text)]))
    return {
      ...{ lane, topic, headers, seq: first + index, eventId: headers['ce_id'] ?? '' },
      ...{ key: String(key), value: value ?? Buffer.alloc(0) },
    }
  })
}

/** A batch in smaller pieces, of which the first removes no row and the last the row of the whole. */
export function cutBatch(batch: OutboxBatch, limits: PackLimits): OutboxBatch[] {
  const { lane, topic, writtenAt, rowFirst = batch.first } = batch
  let next = batch.first
  return packRecords(unpackRecords(batch), limits).map((packed) => {
    const piece = { ...packed, lane, topic, writtenAt, rowFirst, ...numbersOf(packed, next) }
    next += packed.count
    return piece
  })
}

/** Batches of one lane, joined topic by topic. */
export const joinByTopic = (batches: readonly OutboxBatch[]): (PackedRecords & Pick<OutboxBatch, 'lane' | 'topic'>)[] =>
  [...Map.groupBy(batches, ({ topic }) => topic)].map(([topic, own]) => ({
    ...joinRecords(own),
    topic,
    lane: own[0]?.lane ?? 0,
  }))

const numbersOf = ({ count }: PackedRecords, first: number) => ({ first, last: first + count - 1 })
