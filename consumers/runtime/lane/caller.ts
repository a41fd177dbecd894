import { setMaxListeners } from 'node:events'
import { circuitBreaker, ConsecutiveBreaker, handleAll, isBrokenCircuitError } from 'cockatiel'
import type { IPolicy } from 'cockatiel'
import { describeError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/postgres.ts'
import type { Logger } from '../../../infra/logger.ts'
import { withDeadline } from '../../../infra/with-deadline.ts'
import type { PendingCall } from '../tables/call-table.ts'
import { noteFailure } from '../tables/call-table.ts'
import type { CallHandler } from '../handler.ts'
import type { AnswerInput } from '../model.ts'
import { LaneCalls } from './lane-calls.ts'
import type { Ownership } from '../tables/ledger.ts'

export interface CallerOptions {
  calls: Readonly<Record<string, Pick<CallHandler<never>, 'make'>>>
  pool: Pool
  log: Logger
  /** Calls under way at once in this process. @default 64 */
  concurrency?: number
}

/** @default first wait after a failed call and the longest one, milliseconds */
const retryMs = { first: 200, longest: 30_000 }
/** Longer than any call needs: what has not settled by then has not answered. */
const callTimeoutMs = 30_000
/** How long a breaker stays open before it lets one call through to see. */
const breakerMs = 1_000

/**
 * Makes the calls that were decided, after their commit, with the call's id as idempotency key. A definite answer goes
 * back to the lane; anything else is tried again later. Per kind of call a breaker keeps the attempts few while the other
 * side is down.
 */
export class Caller {
  private readonly options: CallerOptions
  private readonly breakers = new Map<string, IPolicy>()
  private readonly lanes = new Set<LaneCalls>()
  private readonly stopping = new AbortController()
  private active = 0

  constructor(options: CallerOptions) {
    this.options = options
    setMaxListeners(0, this.stopping.signal) // One for each call under way
    for (const kind of Object.keys(options.calls)) {
      this.breakers.set(
        kind,
        circuitBreaker(handleAll, { halfOpenAfter: breakerMs, breaker: new ConsecutiveBreaker(10) }),
      )
    }
  }

  /** Takes over the calls of a lane this process owns: what the table holds, then what is offered. */
  open(own: Ownership, answered: (answer: AnswerInput) => void): LaneCalls {
    const lane = new LaneCalls(own, this.options.pool, answered, () => this.pump())
    this.lanes.add(lane)
    this.pump()
    return lane
  }

  stop(): void {
    this.stopping.abort()
    for (const lane of this.lanes) lane.close()
  }

  private pump(): void {
    if (this.stopping.signal.aborted) return
    for (const lane of [...this.lanes]) {
      if (lane.closed) this.lanes.delete(lane)
      lane.refill((error) =>
        this.options.log.warn({ lane: lane.own.lane, error: describeError(error) }, 'could not read calls'),
      )
    }
    while (this.active < (this.options.concurrency ?? 64)) {
      const next = this.nextCall()
      if (!next) return
      this.active++
      void this.make(next.lane, next.call).finally(() => {
        this.active--
        this.pump()
      })
    }
  }

  /** The lanes take turns, so that a busy one does not hold up the others. */
  private nextCall(): { lane: LaneCalls; call: PendingCall } | undefined {
    for (const lane of this.lanes) {
      const call = lane.next()
      if (!call) continue
      this.lanes.delete(lane)
      this.lanes.add(lane)
      return { lane, call }
    }
    return undefined
  }

  private async make(lane: LaneCalls, call: PendingCall): Promise<void> {
    const { id, key, kind, cause, request } = call
    try {
      const handler = this.options.calls[kind]
      const breaker = this.breakers.get(kind)
      if (!handler || !breaker) throw new Error(`no call named ${kind}: was it removed while calls of it were waiting?`)
      const answer = await breaker.execute(() =>
        withDeadline(this.stopping.signal, callTimeoutMs, (signal) =>
          handler.make(request as never, { idempotencyKey: id, signal }),
        ),
      )
      lane.answer({ source: 'answer', id, key, kind, cause, answer })
    } catch (error) {
      if (lane.closed || this.stopping.signal.aborted) return
      // Not attempted at all: the other side is down, and the reason was noted when that was found out
      if (isBrokenCircuitError(error)) return lane.retry(call, breakerMs * (1 + Math.random()))
      const attempts = call.attempts + 1
      const wait = Math.min(retryMs.longest, retryMs.first * 2 ** Math.min(attempts, 10)) * (0.5 + Math.random() / 2)
      const message = describeError(error)
      this.options.log.warn(
        { lane: lane.own.lane, kind, key, attempts, error: message },
        'call without a definite answer',
      )
      lane.retry({ ...call, attempts }, wait)
      await noteFailure(this.options.pool, lane.own, { ...call, attempts }, message, wait).catch(() => {
        // Only the note is missing: the call itself stays in its table
      })
    }
  }
}
