import { countEvents, cutBatch } from './outbox-batch.ts'
import type { OutboxBatch } from './outbox-batch.ts'

/**
 * Maximum numbers of events in memory, per process and per lane; further ones are read from the table when it is their
 * turn.
 */
const processLimit = 20_000
const processBytes = 64 * 2 ** 20
const laneLimit = 5_000
/** Minimum per lane: with fewer, every few events would cost a query. */
const laneLeast = 100
const pageSize = 1_000

/** Maximum of what a lane keeps in memory. A single batch may be larger. */
export interface FeedLimit {
  readonly events: number
  readonly bytes: number
}

/**
 * Maximum for each of this many lanes of a process.
 * @param others what the other lanes hold: lanes that were opened while there were few may hold more than their share now
 */
export const limitPerLane = (lanes: number, others: FeedLimit = { events: 0, bytes: 0 }): FeedLimit => {
  const share = Math.max(laneLeast, Math.min(laneLimit, Math.floor(processLimit / Math.max(1, lanes))))
  const bytes = Math.floor(processBytes / Math.max(1, lanes))
  return {
    events: Math.max(1, Math.min(share, processLimit - others.events)),
    bytes: Math.max(1, Math.min(bytes, processBytes - others.bytes)),
  }
}

/**
 * The unpublished batches of one lane, in order of their numbers. They come from memory right after their commit; whenever
 * memory may be incomplete (takeover, another writer, too many waiting) they are read from the table.
 */
export class LaneFeed {
  readonly lane: number
  closed = false
  private waiting: OutboxBatch[] = []
  private waitingEvents = 0
  private waitingBytes = 0
  private lastSeq = 0
  private behind = true
  private loading = false
  private readonly wake: () => void
  private readonly limit: () => FeedLimit
  private readonly read: (lane: number, afterSeq: number, events: number, maxBytes: number) => Promise<OutboxBatch[]>

  /**
   * @param read reads batches up to the one with which they have so many events or, if that is less, `maxBytes`
   * @param limit current maximum in memory
   */
  constructor(lane: number, wake: () => void, read: LaneFeed['read'], limit = () => limitPerLane(1)) {
    this.limit = limit
    this.lane = lane
    this.wake = wake
    this.read = read
  }

  /** Batches that this process just committed, ascending. */
  offer(batches: readonly OutboxBatch[]): void {
    const [next] = batches
    if (!next) return
    const limit = this.limit()
    const follows = next.first === this.lastSeq + 1 && this.waitingEvents + countEvents(batches) <= limit.events
    const fits = this.waitingBytes + bytesOf(batches) <= limit.bytes
    if (this.behind || this.loading || !follows || !fits) this.behind = true
    else this.push(batches)
    this.wake()
  }

  /** Call when the table may hold rows of other processes. */
  poke(): void {
    this.behind = true
    this.wake()
  }

  /** Whether all events known to this process are published. */
  get idle(): boolean {
    return this.closed || (!this.behind && !this.loading && this.waiting.length === 0)
  }

  /** What waits in memory. */
  get size(): FeedLimit {
    return { events: this.waitingEvents, bytes: this.waitingBytes }
  }

  /** When the first batch in memory was written, epoch ms; undefined if there is none. */
  get oldest(): number | undefined {
    return this.waiting[0]?.writtenAt
  }

  /**
   * The next batches, at least one if there is one, without removing them; reads the table when memory may be incomplete.
   * A batch beyond the limits is cut.
   * @param maxBytes of the records before compression
   */
  async peek(limit: number, maxBytes: number): Promise<readonly OutboxBatch[]> {
    if (this.waiting.length === 0 && this.behind && !this.closed) {
      this.behind = false
      this.loading = true
      try {
        const limit = this.limit()
        const events = Math.min(pageSize, limit.events)
        const page = await this.read(this.lane, this.lastSeq, events, limit.bytes)
        this.push(page)
        if (countEvents(page) >= events || bytesOf(page) >= limit.bytes) this.behind = true
      } catch (error) {
        this.behind = true
        throw error
      } finally {
        this.loading = false
      }
    }
    const [first] = this.waiting
    if (this.closed || !first) return []
    const isTooLarge = first.count > limit || first.bytes > maxBytes
    if (isTooLarge && first.count > 1) this.replace(cutBatch(first, { count: limit, bytes: maxBytes }))
    let [events, bytes] = [0, 0]
    const end = this.waiting.findIndex((batch, index) => {
      events += batch.count
      bytes += batch.bytes
      return index > 0 && (events > limit || bytes > maxBytes)
    })
    return end === -1 ? this.waiting.slice() : this.waiting.slice(0, end)
  }

  /** Call when the broker has acknowledged the batches up to this number. */
  acknowledge(seq: number): void {
    const rest = this.waiting.findIndex(({ last }) => last > seq)
    const gone = this.waiting.splice(0, rest === -1 ? this.waiting.length : rest)
    this.waitingEvents -= countEvents(gone)
    this.waitingBytes -= bytesOf(gone)
  }

  /** Stops publishing this lane: it has, or will have, another owner. */
  close(): void {
    this.closed = true
    this.waiting = []
    this.waitingEvents = 0
    this.waitingBytes = 0
  }

  private push(batches: readonly OutboxBatch[]): void {
    if (this.closed) return
    for (const batch of batches) this.waiting.push(batch)
    this.waitingEvents += countEvents(batches)
    this.waitingBytes += bytesOf(batches)
    this.lastSeq = batches.at(-1)?.last ?? this.lastSeq
  }

  /** Puts pieces in the place of the first batch. */
  private replace(pieces: readonly OutboxBatch[]): void {
    const whole = this.waiting.splice(0, 1, ...pieces)
    this.waitingBytes += bytesOf(pieces) - bytesOf(whole)
  }
}

/** Bytes held, about. */
const bytesOf = (batches: readonly OutboxBatch[]): number =>
  batches.reduce((sum, { records }) => sum + records.length + 200, 0)
