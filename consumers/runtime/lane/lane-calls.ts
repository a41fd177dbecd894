import { charactersOf } from '../tables/call-table.ts'
import type { PendingCall } from '../tables/call-table.ts'
import type { AnswerInput, NewCall, Ownership } from '../model.ts'

/** Calls and the characters of their requests as JSON. */
export interface CallLimit {
  readonly calls: number
  readonly characters: number
}

export interface LaneCallsOptions {
  /** What all lanes of the process hold; each keeps its part of it up to date. */
  held: { calls: number; characters: number }
  /** Maximum of this lane at present, and of all lanes. One call may exceed it, so that it can be made. */
  limit(): CallLimit
  total: CallLimit
  /**
   * Reads calls of the lane that are not among `known`, in the order of their next attempts: up to a number or, if that
   * is less, up to the one with which their requests have `characters`.
   */
  read(known: readonly string[], limit: CallLimit): Promise<PendingCall[]>
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
  /** The characters of each call's request, by the call's id. */
  private readonly known = new Map<string, number>()
  private characters = 0
  private readonly waits = new Set<NodeJS.Timeout>()
  private behind = true
  private loading = false

  constructor(own: Ownership, options: LaneCallsOptions) {
    this.own = own
    this.options = options
  }

  /** Calls in memory. */
  get size(): number {
    return this.known.size
  }

  /** Adds calls this process has just committed. */
  offer(calls: readonly NewCall[]): void {
    if (calls.length === 0) return
    const limit = this.limit()
    const sizes = calls.map(({ request }) => charactersOf(request))
    const characters = this.characters + sum(sizes)
    if (this.behind || this.known.size + calls.length > limit.calls || characters > limit.characters) this.behind = true
    else for (const [at, call] of calls.entries()) this.add({ ...call, attempts: 0, waitMs: 0 }, sizes[at] ?? 0)
    this.options.wake()
  }

  /** Reads calls from the table if some are not in memory and there is room. */
  refill(failed: (error: unknown) => void): void {
    if (this.loading || this.closed || !this.lacks) return
    this.behind = false
    this.loading = true
    const limit = this.limit()
    const room = { calls: limit.calls - this.known.size, characters: limit.characters - this.characters }
    const loaded = () => {
      this.loading = false
      if (!this.closed) this.options.wake()
    }
    this.options.read([...this.known.keys()], room).then(
      (calls) => {
        const sizes = calls.map(({ request }) => charactersOf(request))
        for (const [at, call] of calls.entries()) this.add(call, sizes[at] ?? 0)
        if (calls.length === room.calls || sum(sizes) >= room.characters) this.behind = true
        loaded()
      },
      (error: unknown) => {
        this.behind = true
        failed(error)
        this.later(readAgainMs, loaded)
      },
    )
  }

  /** Lanes that were opened while there were few may hold more than their share now: then the others get what is left. */
  private limit(): CallLimit {
    const { held, total } = this.options
    const own = this.options.limit()
    return {
      calls: Math.max(1, Math.min(own.calls, total.calls - held.calls + this.known.size)),
      characters: Math.max(1, Math.min(own.characters, total.characters - held.characters + this.characters)),
    }
  }

  /** Whether the table holds calls that are not in memory, and at least half of the memory is free. */
  private get lacks(): boolean {
    if (!this.behind) return false
    const limit = this.limit()
    return this.known.size <= limit.calls / 2 && this.characters <= limit.characters / 2
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
    this.forget(id)
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
    for (const id of [...this.known.keys()]) this.forget(id)
    for (const wait of this.waits) clearTimeout(wait)
    this.ready.length = 0
  }

  private add(call: PendingCall, characters: number): void {
    if (this.closed || this.known.has(call.id)) return
    this.known.set(call.id, characters)
    this.count(1, characters)
    if (call.waitMs > 0) this.retry(call, call.waitMs)
    else this.ready.push(call)
  }

  private forget(id: string): void {
    const characters = this.known.get(id)
    if (characters === undefined) return
    this.known.delete(id)
    this.count(-1, -characters)
  }

  private count(calls: number, characters: number): void {
    this.characters += characters
    this.options.held.calls += calls
    this.options.held.characters += characters
  }

  private later(ms: number, work: () => void): void {
    const wait = setTimeout(() => {
      this.waits.delete(wait)
      if (!this.closed) work()
    }, ms)
    this.waits.add(wait)
  }
}

const sum = (sizes: readonly number[]): number => sizes.reduce((all, size) => all + size, 0)
