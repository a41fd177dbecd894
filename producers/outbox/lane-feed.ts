import type { OutboxRow } from './outbox-table.ts'

/**
 * Maximum numbers of rows in memory, per process and per lane; further rows are read from the table when it is their
 * turn.
 */
const processLimit = 20_000
const processBytes = 64 * 2 ** 20
const laneLimit = 5_000
/** Minimum per lane: with fewer rows, every few events would cost a query. */
const laneLeast = 100
const pageSize = 1_000

/** Maximum of what a lane keeps in memory. A single row may be larger. */
export interface FeedLimit {
  readonly rows: number
  readonly bytes: number
}

/**
 * Maximum for each of this many lanes of a process.
 * @param others what the other lanes hold: lanes that were opened while there were few may hold more than their share now
 */
export const limitPerLane = (lanes: number, others: FeedLimit = { rows: 0, bytes: 0 }): FeedLimit => {
  const share = Math.max(laneLeast, Math.min(laneLimit, Math.floor(processLimit / Math.max(1, lanes))))
  const bytes = Math.floor(processBytes / Math.max(1, lanes))
  return {
    rows: Math.max(1, Math.min(share, processLimit - others.rows)),
    bytes: Math.max(1, Math.min(bytes, processBytes - others.bytes)),
  }
}

/**
 * The unpublished rows of one lane, in order of their numbers. Rows come from memory right after their commit; whenever
 * memory may be incomplete (takeover, another writer, too many waiting) they are read from the table.
 */
export class LaneFeed {
  readonly lane: number
  closed = false
  private waiting: OutboxRow[] = []
  private waitingBytes = 0
  private lastSeq = 0
  private behind = true
  private loading = false
  private readonly wake: () => void
  private readonly limit: () => FeedLimit
  private readonly read: (lane: number, afterSeq: number, limit: number, maxBytes: number) => Promise<OutboxRow[]>

  /**
   * @param read reads rows up to a number or, if that is less, up to the one with which their values have `maxBytes`
   * @param limit current maximum in memory
   */
  constructor(lane: number, wake: () => void, read: LaneFeed['read'], limit = () => limitPerLane(1)) {
    this.limit = limit
    this.lane = lane
    this.wake = wake
    this.read = read
  }

  /** Rows that this process just committed, ascending. */
  offer(rows: readonly OutboxRow[]): void {
    const first = rows[0]
    if (!first) return
    const limit = this.limit()
    const follows = first.seq === this.lastSeq + 1 && this.waiting.length + rows.length <= limit.rows
    const fits = this.waitingBytes + bytesOf(rows, sizeOf) <= limit.bytes
    if (this.behind || this.loading || !follows || !fits) this.behind = true
    else this.push(rows)
    this.wake()
  }

  /** Call when the table may hold rows of other processes. */
  poke(): void {
    this.behind = true
    this.wake()
  }

  /** Whether all rows known to this process are published. */
  get idle(): boolean {
    return this.closed || (!this.behind && !this.loading && this.waiting.length === 0)
  }

  /** Rows waiting in memory, and their bytes. */
  get size(): FeedLimit {
    return { rows: this.waiting.length, bytes: this.waitingBytes }
  }

  /** When the first row in memory was written, epoch ms; undefined if there is none. */
  get oldest(): number | undefined {
    const [first] = this.waiting
    const time = first && Date.parse((JSON.parse(first.headers) as Record<string, string>)['ce_time'] ?? '')
    return Number.isNaN(time) ? undefined : time
  }

  /**
   * The next rows, at least one if there is one, without removing them; reads the table when memory may be incomplete.
   */
  async peek(limit: number, maxBytes: number): Promise<readonly OutboxRow[]> {
    if (this.waiting.length === 0 && this.behind && !this.closed) {
      this.behind = false
      this.loading = true
      try {
        const limit = this.limit()
        const rows = Math.min(pageSize, limit.rows)
        const page = await this.read(this.lane, this.lastSeq, rows, limit.bytes)
        this.push(page)
        if (page.length === rows || bytesOf(page, valueSize) >= limit.bytes) this.behind = true
      } catch (error) {
        this.behind = true
        throw error
      } finally {
        this.loading = false
      }
    }
    if (this.closed) return []
    let bytes = 0
    const end = this.waiting.findIndex(
      (row, index) => index >= limit || ((bytes += sizeOf(row)) > maxBytes && index > 0),
    )
    return end === -1 ? this.waiting.slice() : this.waiting.slice(0, end)
  }

  /** Call when the broker has acknowledged the rows up to this number. */
  acknowledge(seq: number): void {
    const rest = this.waiting.findIndex((row) => row.seq > seq)
    const gone = this.waiting.splice(0, rest === -1 ? this.waiting.length : rest)
    this.waitingBytes -= bytesOf(gone, sizeOf)
  }

  /** Stops publishing this lane: it has, or will have, another owner. */
  close(): void {
    this.closed = true
    this.waiting = []
    this.waitingBytes = 0
  }

  private push(rows: readonly OutboxRow[]): void {
    if (this.closed) return
    for (const row of rows) this.waiting.push(row)
    this.waitingBytes += bytesOf(rows, sizeOf)
    this.lastSeq = rows.at(-1)?.seq ?? this.lastSeq
  }
}

/** Size on the wire without framing, bytes. */
export const sizeOf = ({ key, headers, value }: OutboxRow): number => key.length + headers.length + value.length + 64
const valueSize = ({ value }: OutboxRow): number => value.length
const bytesOf = (rows: readonly OutboxRow[], size: (row: OutboxRow) => number): number =>
  rows.reduce((sum, row) => sum + size(row), 0)
