import type { Meter } from '../../../infra/monitor/meters.ts'
import { timer } from '../../../infra/monitor/meters.ts'
import { lastMs } from '../../../infra/monitor/tracer.ts'
import type { NewCall } from '../model.ts'

/**
 * - answered  definitely; a refusal is an answer
 * - failed    the outcome is unknown, the call is repeated
 * - denied    the other side denies access to this process
 * - held      not made: the breaker of its kind is open, or the kind was denied before
 */
export type CallOutcome = 'answered' | 'failed' | 'denied' | 'held'

/** A kind of call in this process. */
export interface CallStanding {
  readonly kind: string
  /** Whether calls are held because those before them failed. */
  readonly broken: boolean
  readonly denied: boolean
}

type Trace = (call: NewCall) => {
  traceparent: string
  ended(outcome: CallOutcome, period: { startMs: number; endMs: number }): void
}

/** Times the calls of a process by kind and outcome. */
export class CallWatch {
  private readonly time: ReturnType<typeof timer>
  private readonly held: ReturnType<Meter['counter']>

  private readonly trace: Trace | undefined

  /** @param trace begins the span of a call */
  constructor(meter: Meter, trace?: Trace) {
    this.trace = trace
    this.time = timer(meter, 'tally_call_duration_seconds', 'Duration of calls', ['kind', 'outcome'])
    this.held = meter.counter('tally_calls_held_total', 'Calls that were not made', ['kind'])
  }

  /** Call when a call begins. @returns its W3C trace header, if any, and what to call when it has ended */
  begun(call: NewCall): { traceparent?: string; ended(outcome: CallOutcome): void } {
    const { kind } = call
    const began = performance.now()
    const span = this.trace?.(call)
    return {
      traceparent: span?.traceparent,
      ended: (outcome) => {
        if (outcome === 'held') return this.held(1, { kind })
        const ms = performance.now() - began
        this.time(ms, { kind, outcome })
        span?.ended(outcome, lastMs(ms))
      },
    }
  }
}

/** Reads the state of every kind of call whenever metrics are collected. @returns a function that ends the reading */
export const observeCalls = (
  meter: Meter,
  { standing, waiting }: { standing: () => readonly CallStanding[]; waiting: () => number },
): (() => void) =>
  meter.observe(
    {
      tally_calls_waiting: ['Calls in memory without a definite answer; further ones may wait in the table'],
      tally_call_breaker_open: ['1 while calls of a kind are held because those before them failed', 'kind'],
      tally_call_denied: ['1 once the other side has denied this kind of call to the process', 'kind'],
    },
    (report) => {
      report('tally_calls_waiting', waiting())
      for (const { kind, broken, denied } of standing()) {
        report('tally_call_breaker_open', Number(broken), { kind })
        report('tally_call_denied', Number(denied), { kind })
      }
    },
  )
