import { setTimeout as delay } from 'node:timers/promises'
import type { RunOptions } from '../mode.ts'

/** Steps per second under a rate: even, and no lane is locked for long. */
const stepsPerSecond = 10

/** Limits a replay to `rate` and `max`. Unused time does not accumulate. */
export class Pacing {
  private readonly rate: number
  private readonly max: number
  private readonly onMax: () => void
  private taken = 0
  private dueAt = 0

  /** @param onMax called when `max` would be exceeded; must abort the signal given to `pace` */
  constructor({ rate = Infinity, max = Infinity }: Pick<RunOptions, 'rate' | 'max'>, onMax: () => void) {
    this.rate = rate
    this.max = max
    this.onMax = onMax
  }

  atOnce(most: number): number {
    return Math.max(1, Math.min(most, this.max - this.taken, Math.floor(this.rate / stepsPerSecond)))
  }

  /** @throws the signal's reason */
  async pace(events: number, signal: AbortSignal): Promise<void> {
    if (events > 0 && this.taken + events > this.max) this.onMax()
    signal.throwIfAborted()
    const now = performance.now()
    const waitMs = this.dueAt - now
    if (waitMs > 0) await delay(waitMs, undefined, { signal }).catch(() => {})
    signal.throwIfAborted()
    this.taken += events
    this.dueAt = Math.max(now, this.dueAt) + (events / this.rate) * 1_000
  }
}
