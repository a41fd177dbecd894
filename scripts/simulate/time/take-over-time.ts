import { syncBuiltinESMExports } from 'node:module'
import timersPromises from 'node:timers/promises'
import type { Random } from '../../../infra/testing/random.ts'
import type { Scheduled, VirtualClock } from './virtual-clock.ts'

/** `Date.now()` at the beginning of every simulation. */
export const beginning = Date.UTC(2030, 0, 1)

let clock: VirtualClock
let random: Random

/** Makes the globals of this thread use this clock and this source of randomness. */
export function live(by: VirtualClock, drawing: Random): void {
  clock = by
  random = drawing
}

/**
 * Replaces time and randomness permanently for the whole thread: timers, `setImmediate`, `Date.now`, `performance.now`,
 * `AbortSignal.timeout` and `Math.random`. The code under test runs unchanged, so it needs a thread of its own.
 */
export function takeOverTime(): void {
  const start = (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
    new VirtualTimer(Math.max(1, ms), () => run(...args))
  const repeat = (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
    new VirtualTimer(Math.max(1, ms), () => run(...args), true)
  const stop = (timer?: VirtualTimer) => timer?.close()
  Object.assign(globalThis, { setTimeout: start, setInterval: repeat, clearTimeout: stop, clearInterval: stop })
  Object.assign(globalThis, { setImmediate: (run: () => void) => void clock.after(0, run) })
  timersPromises.setTimeout = delay
  syncBuiltinESMExports()
  Date.now = () => beginning + Math.floor(clock.now)
  performance.now = () => clock.now
  Math.random = () => random.uniform()
  AbortSignal.timeout = (ms: number) => {
    const timeout = new AbortController()
    clock.after(ms, () => timeout.abort(new DOMException('The operation timed out', 'TimeoutError')))
    return timeout.signal
  }
}

class VirtualTimer {
  private entry: Scheduled | undefined

  constructor(ms: number, run: () => void, again = false) {
    const fire = () => {
      this.entry = again ? clock.after(ms, fire) : undefined
      run()
    }
    this.entry = clock.after(ms, fire)
  }

  close(): void {
    if (this.entry) this.entry.cancelled = true
    this.entry = undefined
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  refresh(): never {
    throw new Error('refresh() of a timer is not simulated')
  }
}

function delay<T = void>(ms?: number, value?: T, { signal }: { signal?: AbortSignal } = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      entry.cancelled = true
      reject(signal?.reason)
    }
    const entry = clock.after(Math.max(1, ms ?? 0), () => {
      signal?.removeEventListener('abort', abort)
      resolve(value as T)
    })
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}
