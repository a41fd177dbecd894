import { setTimeout as delay } from 'node:timers/promises'
import { describeError } from '../../../infra/errors.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { OrderStatus, TimelineEntry } from '../http/contract.ts'
import type { OrderReader } from './order-reader.ts'

export interface Watcher {
  orderId: string
  /** seq of the last entry the watcher has. */
  after: number
  onEntry(entry: TimelineEntry): void
  /**
   * The end: the order is completed, cancelled or rejected and all its entries were passed; or, without a status, the feed
   * stops.
   */
  onEnd(status?: OrderStatus): void
}

export interface TimelineFeedOptions {
  reader: Pick<OrderReader, 'statuses' | 'timeline'>
  /** @default 200 */
  pollMs?: number
  /** @default 1000 */
  maxWatchers?: number
  log: Logger
}

/** Follows the timelines of all watched orders with one query at a time, however many there are; without any it is idle. */
export class TimelineFeed {
  private readonly options: Required<TimelineFeedOptions>
  private readonly watchers = new Set<Watcher>()
  private polling: Promise<void> | undefined
  private stopped = false

  constructor(options: TimelineFeedOptions) {
    this.options = { pollMs: 200, maxWatchers: 1_000, ...options }
  }

  /** @returns false if there are too many watchers */
  watch(watcher: Watcher): boolean {
    if (this.stopped || this.watchers.size >= this.options.maxWatchers) return false
    this.watchers.add(watcher)
    this.polling ??= this.poll()
    return true
  }

  /** Polls while there are watchers. */
  get busy(): boolean {
    return this.polling !== undefined
  }

  unwatch(watcher: Watcher): void {
    this.watchers.delete(watcher)
  }

  async stop(): Promise<void> {
    this.stopped = true
    for (const watcher of this.watchers) watcher.onEnd()
    this.watchers.clear()
    await this.polling
  }

  private async poll(): Promise<void> {
    while (this.watchers.size > 0) {
      try {
        await this.look()
      } catch (error) {
        this.options.log.warn({ error: describeError(error) }, 'could not read timelines')
      }
      await delay(this.options.pollMs)
    }
    this.polling = undefined
  }

  private async look(): Promise<void> {
    const after = new Map<string, number>()
    for (const { orderId, after: seq } of this.watchers) after.set(orderId, Math.min(seq, after.get(orderId) ?? seq))
    // Read the status first: when it says that the order has ended, all entries up to the end are visible
    const statuses = await this.options.reader.statuses([...after.keys()])
    const entries = await this.options.reader.timeline(after)
    const ended = new Map(statuses.filter(({ endedAt }) => endedAt !== null).map((status) => [status.orderId, status]))
    for (const watcher of this.watchers) {
      // A watcher that joined during the query may need more entries than it covered
      if (watcher.after < (after.get(watcher.orderId) ?? Number.POSITIVE_INFINITY)) continue
      for (const entry of entries.get(watcher.orderId) ?? []) {
        if (entry.seq <= watcher.after) continue
        watcher.after = entry.seq
        watcher.onEntry(entry)
      }
      const status = ended.get(watcher.orderId)
      if (!status) continue
      this.watchers.delete(watcher)
      watcher.onEnd(status)
    }
  }
}
