import type { Pool } from '../../../infra/postgres/pool.ts'
import type { PendingCall } from '../tables/call-table.ts'
import { readCalls } from '../tables/call-table.ts'
import type { AnswerInput, NewCall, Ownership } from '../model.ts'

/** Calls of one lane kept in memory; the others wait in the table until there is room. */
const memoryLimit = 1_000

/** The calls of one lane without a definite answer: ready, in progress, or waiting for a retry. */
export class LaneCalls {
  readonly own: Ownership
  closed = false
  private readonly pool: Pool
  private readonly answered: (answer: AnswerInput) => void
  private readonly wake: () => void
  private readonly ready: PendingCall[] = []
  private readonly known = new Set<string>()
  private readonly waits = new Set<NodeJS.Timeout>()
  private behind = true
  private loading = false

  constructor(own: Ownership, pool: Pool, answered: (answer: AnswerInput) => void, wake: () => void) {
    this.own = own
    this.pool = pool
    this.answered = answered
    this.wake = wake
  }

  /** Adds calls this process has just committed. */
  offer(calls: readonly NewCall[]): void {
    if (calls.length === 0) return
    if (this.behind || this.known.size + calls.length > memoryLimit) this.behind = true
    else for (const call of calls) this.add({ ...call, attempts: 0, waitMs: 0 })
    this.wake()
  }

  /** Reads calls from the table if some are not in memory and there is room. */
  refill(failed: (error: unknown) => void): void {
    if (!this.behind || this.loading || this.closed || this.known.size > memoryLimit / 2) return
    this.behind = false
    this.loading = true
    const limit = memoryLimit - this.known.size
    readCalls(this.pool, this.own.lane, [...this.known], limit)
      .then((calls) => {
        for (const call of calls) this.add(call)
        if (calls.length === limit) this.behind = true
      })
      .catch((error: unknown) => {
        this.behind = true
        failed(error)
      })
      .finally(() => {
        this.loading = false
        if (!this.closed) this.later(this.behind && this.known.size === 0 ? 500 : 0, this.wake)
      })
  }

  next(): PendingCall | undefined {
    return this.closed ? undefined : this.ready.shift()
  }

  /** The call stays known until its answer has taken effect, so that a refill does not read it again. */
  answer(answer: AnswerInput): void {
    if (!this.closed) this.answered(answer)
  }

  /** Call after the answer has taken effect: the row is deleted. */
  done(id: string): void {
    this.known.delete(id)
  }

  retry(call: PendingCall, afterMs: number): void {
    this.later(afterMs, () => {
      this.ready.push(call)
      this.wake()
    })
  }

  /** Drops all calls: the lane's next owner reads them from the table. */
  close(): void {
    this.closed = true
    for (const wait of this.waits) clearTimeout(wait)
    this.ready.length = 0
  }

  private add(call: PendingCall): void {
    if (this.closed || this.known.has(call.id)) return
    this.known.add(call.id)
    if (call.waitMs > 0) this.retry(call, call.waitMs)
    else this.ready.push(call)
  }

  private later(ms: number, work: () => void): void {
    const wait = setTimeout(() => {
      this.waits.delete(wait)
      if (!this.closed) work()
    }, ms)
    this.waits.add(wait)
  }
}
