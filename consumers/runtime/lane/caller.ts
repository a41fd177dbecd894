import { setMaxListeners } from 'node:events'
import { circuitBreaker, CircuitState, ConsecutiveBreaker, handleAll, isBrokenCircuitError } from 'cockatiel'
import type { CircuitBreakerPolicy } from 'cockatiel'
import { describeError, isTallyError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Logger } from '../../../infra/logger.ts'
import { takingTurns, withDeadline } from '../../../infra/promises.ts'
import type { PendingCall } from '../tables/call-table.ts'
import { noteFailure, readCalls } from '../tables/call-table.ts'
import type { CallHandler } from '../handler.ts'
import type { AnswerInput, Ownership } from '../model.ts'
import { logFields } from '../process-span.ts'
import { LaneCalls } from './lane-calls.ts'
import type { CallStanding, CallWatch } from './call-watch.ts'

export interface CallerOptions {
  calls: Readonly<Record<string, Pick<CallHandler<never>, 'make'>>>
  pool: Pool
  log: Logger
  /** Concurrent calls in this process. @default 64 */
  concurrency?: number
  /** Told of every call. */
  watch?: CallWatch
  /** Maximum number of calls in memory; each lane gets an equal share, at most 1,000. @default 10000 */
  inMemory?: number
}

const laneLimit = 1_000
/** Of the requests of all calls in memory. */
const characters = 32 * 2 ** 20

/** First and longest wait after a failed call. */
const retryMs = { first: 200, longest: 30_000 }
/** Longer than any call needs: a call that has not settled by then counts as unanswered. */
const callTimeoutMs = 30_000
/** How long a breaker stays open before it lets one probe call through. */
const breakerMs = 1_000

/** Why the other side denies a kind of call to this process, and the lanes for which that is recorded in the table. */
interface Denial {
  readonly reason: string
  readonly noted: WeakSet<LaneCalls>
}

/**
 * Makes calls after the commit that stored them, with the call's id as idempotency key. A definite answer goes back to
 * the lane; after anything else the call is retried later. While the other side is down, a breaker per kind of call
 * keeps the number of attempts small. A kind that the other side denies (DENIED) is not tried again by this process:
 * its calls stay in their table, and a restart with the right setting makes them.
 */
export class Caller {
  private readonly options: CallerOptions
  private readonly breakers = new Map<string, CircuitBreakerPolicy>()
  private readonly denials = new Map<string, Denial>()
  private readonly lanes = new Set<LaneCalls>()
  private readonly held = { calls: 0, characters: 0 }
  private readonly stopping = new AbortController()
  private active = 0
  /** Calls that fail at the same time, as all do when the other side ends, must not take every connection. */
  private readonly noting = takingTurns()

  constructor(options: CallerOptions) {
    this.options = options
    setMaxListeners(0, this.stopping.signal) // One listener per call in progress
    for (const kind of Object.keys(options.calls)) {
      this.breakers.set(
        kind,
        circuitBreaker(handleAll, { halfOpenAfter: breakerMs, breaker: new ConsecutiveBreaker(10) }),
      )
    }
  }

  /** Makes the calls of a lane this process owns: those in the table, then those that are offered. */
  open(own: Ownership, answered: (answer: AnswerInput) => void): LaneCalls {
    const { pool, inMemory = 10_000 } = this.options
    const lane = new LaneCalls(own, {
      held: this.held,
      total: { calls: inMemory, characters },
      limit: () => ({
        calls: Math.max(1, Math.min(laneLimit, Math.floor(inMemory / this.lanes.size))),
        characters: Math.floor(characters / this.lanes.size),
      }),
      read: (known, limit) => readCalls(pool, own.lane, known, limit, [...this.denials.keys()]),
      answered,
      wake: () => this.pump(),
    })
    this.lanes.add(lane)
    this.pump()
    return lane
  }

  /** Every kind of call. */
  standing(): CallStanding[] {
    return [...this.breakers].map(([kind, { state }]) => ({
      kind,
      broken: state === CircuitState.Open || state === CircuitState.HalfOpen,
      denied: this.denials.has(kind),
    }))
  }

  /** Calls in memory without a definite answer. */
  get waiting(): number {
    return [...this.lanes].reduce((sum, { size }) => sum + size, 0)
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
        this.options.log.warn({ lane: lane.own.lane, error: describeError(error) }, 'calls not read'),
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

  /** Round robin, so that a busy lane does not delay the others. */
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
    const denial = this.denials.get(kind)
    if (denial) return this.hold(lane, call, denial)
    const watched = this.options.watch?.begun(call)
    try {
      const handler = this.options.calls[kind]
      const breaker = this.breakers.get(kind)
      if (!handler || !breaker) throw new Error(`no call named ${kind}: was it removed while calls of it were waiting?`)
      const answer = await breaker.execute(() =>
        withDeadline(this.stopping.signal, callTimeoutMs, (signal) =>
          handler.make(request as never, {
            ...{ idempotencyKey: id, signal, traceparent: watched?.traceparent },
            pool: this.options.pool,
          }),
        ),
      )
      watched?.ended('answered')
      lane.answer({ source: 'answer', id, key, kind, cause, answer })
    } catch (error) {
      if (lane.closed || this.stopping.signal.aborted) return
      watched?.ended(isTallyError(error, 'DENIED') ? 'denied' : isBrokenCircuitError(error) ? 'held' : 'failed')
      if (isTallyError(error, 'DENIED')) return this.hold(lane, call, this.denialOf(kind, error.message))
      // Not attempted: the breaker is open, and the attempt that opened it noted the reason
      if (isBrokenCircuitError(error)) return lane.retry(call, breakerMs * (1 + Math.random()))
      const attempts = call.attempts + 1
      const wait = Math.min(retryMs.longest, retryMs.first * 2 ** Math.min(attempts, 10)) * (0.5 + Math.random() / 2)
      const message = describeError(error)
      this.options.log.warn(
        { lane: lane.own.lane, kind, attempts, error: message, ...logFields(call) },
        'call without a definite answer',
      )
      lane.retry({ ...call, attempts }, wait)
      await this.note(lane, { ...call, attempts }, message, wait).catch(() => {
        // Only the record of the attempt is lost; the call stays in its table
      })
    }
  }

  private note({ own }: LaneCalls, call: PendingCall, error: string, waitMs: number): Promise<unknown> {
    return this.noting(() => noteFailure(this.options.pool, own, call, error, waitMs))
  }

  private denialOf(kind: string, reason: string): Denial {
    const known = this.denials.get(kind)
    if (known) return known
    const denial = { reason, noted: new WeakSet<LaneCalls>() }
    this.denials.set(kind, denial)
    this.options.log.error({ kind, reason }, 'calls of this kind stopped until a restart')
    return denial
  }

  /** Does not make the call. Records the reason once per lane, for operators. The next owner need not wait. */
  private async hold(lane: LaneCalls, call: PendingCall, { reason, noted }: Denial): Promise<void> {
    lane.done(call.id) // It must not take up the memory that calls of other kinds need
    if (noted.has(lane)) return
    noted.add(lane)
    await this.note(lane, { ...call, attempts: call.attempts + 1 }, reason, 0).catch(() => noted.delete(lane))
  }
}
