import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { describeError, isTallyError } from '../../infra/errors.ts'
import type { Pace } from '../../infra/linger/pace.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { RecordSender } from '../../infra/kafka/record-sender.ts'
import { settlesWithin } from '../../infra/promises.ts'
import type { Logger } from '../../infra/logger.ts'
import { LaneFeed, limitPerLane, sizeOf } from './lane-feed.ts'
import type { PublishWatch, WaitingRows } from './publish-watch.ts'
import type { FeedLimit } from './lane-feed.ts'
import type { OutboxRow, SeqRange } from './outbox-table.ts'
import { readOutboxRows, removePublished } from './outbox-table.ts'

/**
 * Limits of one request: rows of one lane, their bytes (the broker refuses batches over 1 MB), rows and bytes of all
 * lanes (the broker closes the connection of a request over 100 MB).
 */
const perLane = 500
const bytesPerLane = 700_000
const perRequest = 2_000
const bytesPerRequest = 16 * 2 ** 20
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
  /** Whether someone waits for the end: then no request waits for more rows. */
  private hurried = false
  private signal = Promise.withResolvers<void>()
  private readonly loop: Promise<void>
  private removal: Promise<void> = Promise.resolve()
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
      (...args) => readOutboxRows(this.options.pool, ...args),
      () => this.limitOf(lane),
    )
    this.feeds.set(lane, feed)
    this.signal.resolve()
    return feed
  }

  /** Resolves once every open lane is published, or false at the deadline. */
  async flush(deadlineMs: number): Promise<boolean> {
    this.hurried = true
    const deadline = Date.now() + deadlineMs
    while ([...this.feeds.values()].some((feed) => !feed.idle)) {
      if (Date.now() >= deadline) return false
      await delay(5)
    }
    return settlesWithin(this.removal, Math.max(0, deadline - Date.now()))
  }

  async stop(): Promise<void> {
    this.stopped = true
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
        if (!this.hurried) await this.options.pace?.rest(this.waiting)
        const batch = await this.gather()
        if (batch.size === 0) {
          await this.signal.promise
          continue
        }
        await this.sendWatched([...batch.values()].flat())
        this.acknowledge(batch)
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

  /** The unpublished rows in memory, of each lane. */
  waitingRows(): WaitingRows[] {
    return [...this.feeds.values()].map(({ size, oldest }) => ({ rows: size.rows, oldest }))
  }

  private limitOf(lane: number): FeedLimit {
    let [lanes, rows, bytes] = [0, 0, 0]
    for (const feed of this.feeds.values()) {
      if (feed.closed) continue
      lanes++
      if (feed.lane === lane) continue
      rows += feed.size.rows
      bytes += feed.size.bytes
    }
    return limitPerLane(lanes, { rows, bytes })
  }

  /** Rows in memory. */
  private get waiting(): number {
    return [...this.feeds.values()].reduce((sum, { size }) => sum + size.rows, 0)
  }

  private async sendWatched(rows: readonly OutboxRow[]): Promise<void> {
    const { watch } = this.options
    if (!watch) return this.send(rows)
    const began = performance.now()
    try {
      await this.send(rows)
      watch.published(rows.length, performance.now() - began)
    } catch (error) {
      watch.failed(error, performance.now() - began)
      throw error
    }
  }

  private async gather(): Promise<Map<LaneFeed, readonly OutboxRow[]>> {
    const batch = new Map<LaneFeed, readonly OutboxRow[]>()
    let [room, bytes] = [perRequest, 0]
    for (const [lane, feed] of [...this.feeds]) {
      if (feed.idle || room <= 0 || bytes >= bytesPerRequest || (this.caution > 1 && batch.size > 0)) continue
      const rows = await feed.peek(Math.min(Math.ceil(perLane / this.caution), room), bytesPerLane / this.caution)
      if (rows.length === 0) continue
      batch.set(feed, rows)
      room -= rows.length
      bytes += rows.reduce((sum, row) => sum + sizeOf(row), 0)
      // To the end of the queue, so that every lane gets its turn under load. The lane may have been reopened meanwhile
      if (this.feeds.get(lane) !== feed) continue
      this.feeds.delete(lane)
      this.feeds.set(lane, feed)
    }
    return batch
  }

  private send(rows: readonly OutboxRow[]): Promise<void> {
    const { namespace, pace } = this.options
    const send = () =>
      this.sender.send(
        rows.map(({ topic, lane, key, value, headers }) => ({
          topic: `${namespace}${topic}`,
          partition: lane,
          key,
          value,
          headers: JSON.parse(headers) as Record<string, string>,
        })),
      )
    return pace?.cycle(rows.length, send) ?? send()
  }

  private acknowledge(batch: ReadonlyMap<LaneFeed, readonly OutboxRow[]>): void {
    for (const [feed, rows] of batch) {
      const [first, last] = [rows[0], rows.at(-1)]
      if (!first || !last) continue
      feed.acknowledge(last.seq)
      this.note(feed.lane, { first: first.seq, last: last.seq })
    }
    this.removal = this.removal
      .then(() => this.removePublished())
      .catch((error: unknown) =>
        this.options.log.warn({ error: describeError(error) }, 'could not delete published rows'),
      )
  }

  /**
   * Deletes the acknowledged rows. If that fails, the lane's next deletion covers them, or they are published again.
   */
  private async removePublished(): Promise<void> {
    const ranges = new Map(this.published)
    if (ranges.size === 0) return
    this.published.clear()
    try {
      await removePublished(this.options.pool, ranges)
    } catch (error) {
      for (const [lane, range] of ranges) this.note(lane, range)
      throw error
    }
  }

  private note(lane: number, { first, last }: SeqRange): void {
    const known = this.published.get(lane)
    this.published.set(lane, {
      first: Math.min(first, known?.first ?? first),
      last: Math.max(last, known?.last ?? last),
    })
  }
}
