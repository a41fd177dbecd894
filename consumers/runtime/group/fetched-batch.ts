import type { Batch, KafkaMessage } from 'kafkajs'
import { describeError } from '../../../infra/errors.ts'
import { findUnreadable } from '../../../infra/kafka/patches/fetch/unreadable-batch.ts'
import type { UnreadableBatch } from '../../../infra/kafka/patches/fetch/unreadable-batch.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { Request } from '../batch/process-request.ts'
import type { Turns } from '../turns.ts'
import type { FetchProgress, MemberLane } from './membership-options.ts'
import type { TopicOffsets } from './topic-offsets.ts'

/** Maximum number of records per transaction. A batch never waits to fill up. */
const recordsPerBatch = 1_000

/** A lane that processes records; `Lane` in lane/lane.ts is one. */
export interface RecordLane extends MemberLane {
  /** Maximum number of inputs to process together. */
  readonly limit: number
  /** End of the offsets that a redelivery processes again. Infinity without one. */
  end(topic: string): number
  readonly turns: Pick<Turns, 'alone' | 'beside'>
  /** @returns false if the request failed and will be fetched again */
  process(request: Request): Promise<boolean>
  fail(error: unknown): void
  halt(reason: string): void
}

export interface FetchedBatchesOptions {
  offsets: TopicOffsets
  /** Name of the consumer, for messages. */
  group: string
  namespace: string
  log: Logger
}

/**
 * Passes fetched batches to their lanes: in order, in parts of bounded size, starting exactly at the ledger's position.
 */
export class FetchedBatches {
  private readonly options: FetchedBatchesOptions
  /** The last position, by topic and partition, at which a batch could not be read. */
  private readonly unreadable = new Map<string, number>()

  constructor(options: FetchedBatchesOptions) {
    this.options = options
  }

  /**
   * Processes one fetched batch of one topic, in the lane's turn.
   * @returns 'gap' if the batch does not follow the lane's position: fetch again from there
   */
  process(lane: RecordLane, batch: Batch, progress: FetchProgress): Promise<'gap' | undefined> {
    const topic = batch.topic.slice(this.options.namespace.length)
    return lane.turns.beside(topic, async () => {
      const position = lane.position(topic)
      if (lane.phase !== 'live' || position === undefined) return undefined
      const unreadable = findUnreadable(batch.messages)
      if (unreadable && this.isNext(unreadable, topic, lane.number, position))
        return this.refuse(lane, topic, position, unreadable)
      if (!unreadable && this.options.offsets.follows(topic, batch, position)) {
        await this.processParts(lane, batch, topic, position, progress)
        return undefined
      }
      const lost = await this.explainGap(lane, topic, position)
      if (lane.phase !== 'live') return undefined
      if (lost === undefined) return 'gap'
      lane.halt(lost)
      return undefined
    })
  }

  /**
   * Moves the lane past offsets that the client has read and skipped, which hold no record for it (markers of
   * transactions, aborted records, compaction). Nothing more has to arrive for that: they may be the last ones.
   * Never rejects: nobody waits for it.
   */
  passGap(lane: RecordLane, topic: string): Promise<void> {
    return lane.turns.alone(async () => {
      const from = lane.position(topic)
      if (!lane.accepting || from === undefined) return
      const to = Math.min(this.options.offsets.beyondPassed(topic, lane.number, from), lane.end(topic))
      if (to <= from) return
      await this.processPart(lane, topic, { items: [], from, to }).catch((error: unknown) => lane.fail(error))
    })
  }

  /** Whether only records that the client skipped lie between the position and the batch. */
  private isNext({ from, to }: UnreadableBatch, topic: string, partition: number, position: number): boolean {
    return position < to && this.options.offsets.beyondPassed(topic, partition, position) >= from
  }

  /**
   * Handles a batch that cannot be decoded. The first time, its bytes may have been damaged in transit, so it is
   * fetched again. The second time, the lane stops, and only an operator can skip the batch.
   */
  private refuse(lane: RecordLane, topic: string, position: number, batch: UnreadableBatch): 'gap' | undefined {
    const { to, error } = batch
    const place = `${topic}/${lane.number}`
    if (this.unreadable.get(place) !== position) {
      this.unreadable.set(place, position)
      return 'gap'
    }
    const { group } = this.options
    const pass = `npm run lanes -- skip ${group}/${lane.number} --offsets ${place}:${position}-${to - 1} --why "damaged"`
    lane.halt(`${place}@${position}: ${describeError(error)}; to pass it: ${pass}`)
    return undefined
  }

  private async processParts(
    lane: RecordLane,
    batch: Batch,
    topic: string,
    position: number,
    { wanted, reached }: FetchProgress,
  ): Promise<void> {
    const end = Math.min(Number(batch.lastOffset()) + 1, lane.end(topic))
    const messages = batch.messages.filter(({ offset }) => Number(offset) >= position && Number(offset) < end)
    // The first part is always processed: otherwise a batch that waited long for its lane would starve behind busier
    // topics
    for (let from = position, start = 0; from < end && (start === 0 || wanted()); ) {
      const items = messages.slice(start, start + Math.min(recordsPerBatch, lane.limit))
      const to = start + items.length < messages.length ? Number(items.at(-1)?.offset) + 1 : end
      if (!lane.accepting) return
      if (!(await this.processPart(lane, topic, { items, from, to }))) return
      start += Math.max(1, items.length)
      from = to
      await reached(to - 1)
    }
  }

  private async processPart(
    lane: RecordLane,
    topic: string,
    part: { items: KafkaMessage[]; from: number; to: number },
  ): Promise<boolean> {
    const { offsets } = this.options
    const doubt = await offsets.settled(topic, lane.number).then(
      () => undefined,
      (error: unknown) => ({ error }),
    )
    if (doubt) {
      lane.fail(doubt.error)
      return false
    }
    const name = `${topic}/${part.items[0]?.offset ?? part.from}`
    const place = { topic, topicId: offsets.topicId(topic), partition: lane.number }
    return lane.process({ source: 'record', name, ...part, ...place, again: Number.isFinite(lane.end(topic)) })
  }

  /** @returns why the records at the position can no longer be read, or undefined if fetching again may help */
  private async explainGap(lane: RecordLane, topic: string, position: number): Promise<string | undefined> {
    const { offsets, log } = this.options
    const lost = await offsets.explainGap(topic, lane.number, position).catch((error: unknown) => {
      log.warn({ lane: lane.number, topic, position, error: describeError(error) }, 'gap not explained, reading again')
      return undefined
    })
    if (lost === undefined || !Number.isFinite(lane.end(topic))) return lost
    return `${lost}; to resume the lane, cancel the replay that reprocesses them: npm run replay -- list, then cancel`
  }
}
