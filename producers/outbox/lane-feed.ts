import type { OutboxRow } from './outbox-table.ts'

/**
 * Maximum numbers of rows in memory, per process and per lane; further rows are read from the table when it is their
 * turn.
 */
const processLimit = 20_000
const laneLimit = 5_000
/** Minimum per lane: with fewer rows, every few events would cost a query. */
const laneLeast = 100
const pageSize = 1_000

/** Maximum number of rows in memory for each of this many lanes of a process. */
export const rowsPerLane = (lanes: number): number =>
  Math.max(laneLeast, Math.min(laneLimit, Math.floor(processLimit / Math.max(1, lanes))))

/**
 * The unpublished rows of one lane, in order of their numbers. Rows come from memory right after their commit; whenever
 * memory may be incomplete (takeover, another writer, too many waiting) they are read from the table.
 */
export class LaneFeed {
  readonly lane: number
  closed = false
  private waiting: OutboxRow[] = []
  private lastSeq = 0
  private behind = true
  private loading = false
  private readonly wake: () => void
  private readonly limit: () => number
  private readonly read: (lane: number, afterSeq: number, limit: number) => Promise<OutboxRow[]>

  /** @param limit current maximum number of rows in memory */
  constructor(lane: number, wake: () => void, read: LaneFeed['read'], limit = () => rowsPerLane(1)) {
    this.limit = limit
    this.lane = lane
    this.wake = wake
    this.read = read
  }

  /** Rows that this process just committed, ascending. */
  offer(rows: readonly OutboxRow[]): void {
    const first = rows[0]
    if (!first) return
    const follows = first.seq === this.lastSeq + 1 && this.waiting.length + rows.length <= this.limit()
    if (this.behind || this.loading || !follows) this.behind = true
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

  /** Rows waiting in memory. */
  get size(): number {
    return this.waiting.length
  }

  /**
   * The next rows, at least one if there is one, without removing them; reads the table when memory may be incomplete.
   */
  async peek(limit: number, maxBytes: number): Promise<readonly OutboxRow[]> {
    if (this.waiting.length === 0 && this.behind && !this.closed) {
      this.behind = false
      this.loading = true
      try {
        const rows = Math.min(pageSize, this.limit())
        const page = await this.read(this.lane, this.lastSeq, rows)
        this.push(page)
        if (page.length === rows) this.behind = true
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
    this.waiting = rest === -1 ? [] : this.waiting.slice(rest)
  }

  /** Stops publishing this lane: it has, or will have, another owner. */
  close(): void {
    this.closed = true
    this.waiting = []
  }

  private push(rows: readonly OutboxRow[]): void {
    for (const row of rows) this.waiting.push(row)
    this.lastSeq = rows.at(-1)?.seq ?? this.lastSeq
  }
}

/** Size on the wire without framing, bytes. */
const sizeOf = ({ key, headers, value }: OutboxRow): number => key.length + headers.length + value.length + 64
