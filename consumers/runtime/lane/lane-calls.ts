import type { Pool } from '../../../infra/postgres/postgres.ts'
import type { PendingCall } from '../tables/call-table.ts'
import { readCalls } from '../tables/call-table.ts'
import type { NewCall } from '../batch/decide.ts'
import type { AnswerInput } from '../model.ts'
import type { Ownership } from '../tables/ledger.ts'

/** Calls of one lane kept in memory; beyond it the table alone keeps them until there is room. */
const memoryLimit = 1_000

/** The calls of one lane that wait for a definite answer: ready to be made, being made, or waiting to be repeated. */
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

  /** Calls this process just committed. */
  offer(calls: readonly NewCall[]): void {
    if (calls.length === 0) return
    if (this.behind || this.known.size + calls.length > memoryLimit) this.behind = true
    else for (const call of calls) this.add({ ...call, attempts: 0, waitMs: 0 })
    this.wake()
  }

  /** Reads calls from the table when memory is not the whole truth and there is room. */
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

  /** The call stays known until its answer has taken effect, so that a refill does not bring it back. */
  answer(answer: AnswerInput): void {
    if (!this.closed) this.answered(answer)
  }

  /** The answer has taken effect: the row is gone. */
  done(id: string): void {
    this.known.delete(id)
  }

  retry(call: PendingCall, afterMs: number): void {
    this.later(afterMs, () => {
      this.ready.push(call)
      this.wake()
    })
  }

  /** Forgets everything: the lane has, or will have, another owner, who finds the calls in the table. */
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
