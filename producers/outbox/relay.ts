import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { describeError, isTallyError } from '../../infra/errors.ts'
import type { Pace } from '../../infra/linger/pace.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { packLimits } from '../../infra/kafka/patches/produce/packed-records.ts'
import { RecordSender } from '../../infra/kafka/record-sender.ts'
import { settlesWithin } from '../../infra/promises.ts'
import type { Logger } from '../../infra/logger.ts'
import { LaneFeed, limitPerLane } from './lane-feed.ts'
import type { FeedLimit } from './lane-feed.ts'
import { countEvents, joinByTopic } from './outbox-batch.ts'
import type { OutboxBatch } from './outbox-batch.ts'
import type { PublishWatch, WaitingEvents } from './publish-watch.ts'
import type { SeqRange } from './outbox-table.ts'
import { readOutboxBatches, removePublished } from './outbox-table.ts'

/**
 * Limits of one request: events of one lane and their bytes (`packLimits`), events and bytes of all lanes (the broker
 * closes the connection of a request over 100 MB).
 */
const { count: perLane, bytes: bytesPerLane } = packLimits
const perRequest = 8_000
const bytesPerRequest = 16 * 2 ** 20
/** Published rows wait this long, ms, and leave the table with those of later requests: a commit for each costs more. */
const removeAfterMs = 200
/** A hanging request is abandoned after this time, ms: its rows stay in the table. */
const stopWithinMs = 3_000

export interface RelayOptions {
  kafka: Kafka
  pool: Pool
  namespace: string
  log: Logger
  /** When requests begin. @default at once */
  pace?: Pace
  /** Told of every request. */
  watch?: PublishWatch
}

/** The next batches of some lanes. */
type Request = ReadonlyMap<LaneFeed, readonly OutboxBatch[]>

/**
 * Publishes the rows of the outbox, then deletes them. One per process: it gathers the ready rows of its lanes into one
 * request and has one request in flight. After an error it resends all unacknowledged rows; consumers drop duplicates
 * by id.
 */
export class Relay {
  private readonly options: RelayOptions
  private readonly feeds = new Map<number, LaneFeed>()
  private readonly sender: RecordSender
  private stopped = false
  /** Aborted when someone waits for the end: then nothing waits for more rows. */
  private readonly hurry = new AbortController()
  private signal = Promise.withResolvers<void>()
  private readonly loop: Promise<void>
  /** The removal in progress. */
  private removal: Promise<void> | undefined
  /** Acknowledged rows that may still be in the table, by lane. */
  private readonly published = new Map<number, SeqRange>()
  /**
   * Grows while the broker refuses requests: then they are small and of one lane, so that only the faulty lane waits.
   */
  private caution = 1

  constructor(options: RelayOptions) {
    this.options = options
    this.sender = new RecordSender(options.kafka)
    this.loop = this.run()
  }

  /** Starts publishing a lane that this process owns: first the rows in the table, then the offered ones. */
  open(lane: number): LaneFeed {
    this.feeds.get(lane)?.close()
    const feed = new LaneFeed(
      lane,
      () => this.signal.resolve(),
      (...args) => readOutboxBatches(this.options.pool, ...args),
      () => this.limitOf(lane),
    )
    this.feeds.set(lane, feed)
    this.signal.resolve()
    return feed
  }

  /** Resolves once every open lane is published, or false at the deadline. */
  async flush(deadlineMs: number): Promise<boolean> {
    this.hurry.abort()
    const deadline = Date.now() + deadlineMs
    while ([...this.feeds.values()].some((feed) => !feed.idle)) {
      if (Date.now() >= deadline) return false
      await delay(5)
    }
    return settlesWithin(Promise.resolve(this.removal), Math.max(0, deadline - Date.now()))
  }

  async stop(): Promise<void> {
    this.stopped = true
    this.hurry.abort()
    this.signal.resolve()
    await settlesWithin(
      this.loop.then(() => this.removal),
      stopWithinMs,
    )
    await this.sender.stop()
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.stopped; ) {
      try {
        this.signal = Promise.withResolvers<void>()
        if (!this.hurry.signal.aborted) await this.options.pace?.rest(this.waiting)
        const request = await this.gather()
        if (request.size === 0) {
          await this.signal.promise
          continue
        }
        await this.sendWatched(request)
        this.acknowledge(request)
        failures = 0
        this.caution = Math.max(1, this.caution / 2)
      } catch (error) {
        const refused = isTallyError(error) && !error.retryable
        if (refused) this.caution = Math.min(perLane, this.caution * 2)
        const { log } = this.options
        log[refused ? 'error' : 'warn']({ error: describeError(error) }, 'publishing failed, will retry')
        await delay(Math.min(1_000, 25 * 2 ** failures++) * (0.5 + Math.random() / 2))
      }
    }
  }

  /** The unpublished events in memory, of each lane. */
  waitingEvents(): WaitingEvents[] {
    return [...this.feeds.values()].map(({ size, oldest }) => ({ events: size.events, oldest }))
  }

  private limitOf(lane: number): FeedLimit {
    let [lanes, events, bytes] = [0, 0, 0]
    for (const feed of this.feeds.values()) {
      if (feed.closed) continue
      lanes++
      if (feed.lane === lane) continue
      events += feed.size.events
      bytes += feed.size.bytes
    }
    return limitPerLane(lanes, { events, bytes })
  }

  /** Events in memory. */
  private get waiting(): number {
    return [...this.feeds.values()].reduce((sum, { size }) => sum + size.events, 0)
  }

  private async sendWatched(request: Request): Promise<void> {
    const { watch } = this.options
    if (!watch) return this.send(request)
    const began = performance.now()
    try {
      await this.send(request)
      watch.published([...request.values()].flat(), performance.now() - began)
    } catch (error) {
      watch.failed(error, performance.now() - began)
      throw error
    }
  }

  private async gather(): Promise<Request> {
    const request = new Map<LaneFeed, readonly OutboxBatch[]>()
    let [room, bytes] = [perRequest, 0]
    for (const [lane, feed] of [...this.feeds]) {
      if (feed.idle || room <= 0 || bytes >= bytesPerRequest || (this.caution > 1 && request.size > 0)) continue
      const next = await feed.peek(Math.ceil(perLane / this.caution), bytesPerLane / this.caution)
      if (next.length === 0) continue
      request.set(feed, next)
      room -= countEvents(next)
      bytes += next.reduce((sum, batch) => sum + batch.bytes, 0)
      // To the end of the queue, so that every lane gets its turn under load. The lane may have been reopened meanwhile
      if (this.feeds.get(lane) !== feed) continue
      this.feeds.delete(lane)
      this.feeds.set(lane, feed)
    }
    return request
  }

  private send(request: Request): Promise<void> {
    const { namespace, pace } = this.options
    const lanes = [...request.values()]
    const send = () =>
      this.sender.sendPacked(
        lanes
          .flatMap(joinByTopic)
          .map(({ topic, lane, ...packed }) => ({ ...packed, topic: `${namespace}${topic}`, partition: lane })),
      )
    return pace?.cycle(countEvents(lanes.flat()), send) ?? send()
  }

  private acknowledge(request: Request): void {
    for (const [feed, batches] of request) {
      const [first, last] = [batches[0], batches.at(-1)]
      if (!first || !last) continue
      feed.acknowledge(last.last)
      this.note(feed.lane, { first: first.rowFirst ?? first.first, last: last.last })
    }
    this.removal ??= this.removePublished()
  }

  /**
   * Deletes the acknowledged rows until there are none. If that fails, the lane's next deletion covers them, or they are
   * published again.
   */
  private async removePublished(): Promise<void> {
    const { signal } = this.hurry
    let failed = false
    do {
      if (!signal.aborted) await delay(removeAfterMs, undefined, { signal }).catch(() => {}) // Aborted: at once
      const ranges = new Map(this.published)
      this.published.clear()
      try {
        await removePublished(this.options.pool, ranges)
      } catch (error) {
        failed = true
        for (const [lane, range] of ranges) this.note(lane, range)
        this.options.log.warn({ error: describeError(error) }, 'could not delete published rows')
      }
    } while (this.published.size > 0 && !failed)
    this.removal = undefined // In the same turn as the look: what is acknowledged from here on begins another removal
  }

  private note(lane: number, { first, last }: SeqRange): void {
    const known = this.published.get(lane)
    this.published.set(lane, {
      first: Math.min(first, known?.first ?? first),
      last: Math.max(last, known?.last ?? last),
    })
  }
}
