import type { PendingCall } from '../tables/call-table.ts'
import type { AnswerInput, NewCall, Ownership } from '../model.ts'

export interface LaneCallsOptions {
  /** Current maximum number of calls in memory; the others wait in the table until there is room. */
  limit(): number
  /** Reads calls of the lane that are not among `known`, in the order of their next attempts. */
  read(known: readonly string[], limit: number): Promise<PendingCall[]>
  answered(answer: AnswerInput): void
  /** Tells the caller to load calls into memory and to make those that are ready. */
  wake(): void
}

/** How long to wait before the table is read again after a failure, ms. */
const readAgainMs = 500

/** The calls of one lane without a definite answer: ready, in progress, or waiting for a retry. */
export class LaneCalls {
  readonly own: Ownership
  closed = false
  private readonly options: LaneCallsOptions
  private readonly ready: PendingCall[] = []
  private readonly known = new Set<string>()
  private readonly waits = new Set<NodeJS.Timeout>()
  private behind = true
  private loading = false

  constructor(own: Ownership, options: LaneCallsOptions) {
    this.own = own
    this.options = options
  }

  /** Adds calls this process has just committed. */
  offer(calls: readonly NewCall[]): void {
    if (calls.length === 0) return
    if (this.behind || this.known.size + calls.length > this.options.limit()) this.behind = true
    else for (const call of calls) this.add({ ...call, attempts: 0, waitMs: 0 })
    this.options.wake()
  }

  /** Reads calls from the table if some are not in memory and there is room. */
  refill(failed: (error: unknown) => void): void {
    if (this.loading || this.closed || !this.lacks) return
    this.behind = false
    this.loading = true
    const room = this.options.limit() - this.known.size
    const loaded = () => {
      this.loading = false
      if (!this.closed) this.options.wake()
    }
    this.options.read([...this.known], room).then(
      (calls) => {
        for (const call of calls) this.add(call)
        if (calls.length === room) this.behind = true
        loaded()
      },
      (error: unknown) => {
        this.behind = true
        failed(error)
        this.later(readAgainMs, loaded)
      },
    )
  }

  /** Whether the table holds calls that are not in memory, and at least half of the memory is free. */
  private get lacks(): boolean {
    return this.behind && this.known.size <= this.options.limit() / 2
  }

  next(): PendingCall | undefined {
    return this.closed ? undefined : this.ready.shift()
  }

  /** The call stays known until its answer has taken effect, so that a refill does not read it again. */
  answer(answer: AnswerInput): void {
    if (!this.closed) this.options.answered(answer)
  }

  /** Call after the answer has taken effect and the row is deleted, or when this process will not make the call. */
  done(id: string): void {
    this.known.delete(id)
    // If no call is left in progress to wake the caller, those in the table would wait for other traffic
    if (this.lacks) this.options.wake()
  }

  retry(call: PendingCall, afterMs: number): void {
    this.later(afterMs, () => {
      this.ready.push(call)
      this.options.wake()
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
