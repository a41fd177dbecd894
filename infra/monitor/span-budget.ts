/** Spans that a process exports in a second. One costs 20 µs of processor time, most of it in the exporter. */
const most = 500
const windowMs = 1_000

/**
 * Keeps the cost of traces bounded, whatever the load: beyond the budget a process exports a share of all traces, which halves
 * and doubles. The last digits of a trace's id decide, so that every process keeps the same traces as far as their shares
 * allow: what the smallest share keeps is whole.
 */
export class SpanBudget {
  private share = 1
  private since: number
  private taken = 0

  constructor(now = performance.now()) {
    this.since = now
  }

  /** Whether spans of a trace are exported now. */
  keeps(traceId: string, now = performance.now()): boolean {
    return this.keepsAll(now) || Number.parseInt(traceId.slice(-8), 16) < this.share * 2 ** 32
  }

  /** Whether spans of all traces are exported now. */
  keepsAll(now = performance.now()): boolean {
    const windows = Math.floor((now - this.since) / windowMs)
    if (windows > 0) {
      if (this.taken < most / 2) this.share = Math.min(1, this.share * 2 ** windows)
      this.begin(now)
    }
    return this.share === 1
  }

  /** A span is exported. */
  took(now = performance.now()): void {
    if (++this.taken < most) return
    this.share /= 2
    this.begin(now)
  }

  private begin(now: number): void {
    this.since = now
    this.taken = 0
  }
}
