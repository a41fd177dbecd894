import type { Notices } from './notices.ts'

export interface PollingOptions {
  /** Time between two looks at least, however many notices arrive, ms. */
  leastMs: number
  /** Time between two looks while there is work, or while no notices arrive, ms. */
  soonMs: number
  /** The same while there is none, ms: what a lost notice costs at most. */
  seldomMs: number
  notices: Notices
}

/** Looks for work again and again: at once after a notice, soon while there is work, seldom otherwise. */
export class Polling {
  private readonly options: PollingOptions
  private told = false
  private stirred = true
  private wake = () => {}

  constructor(options: PollingOptions) {
    this.options = options
  }

  /** Call after work that may lead to more: the next look is soon. */
  stir(): void {
    if (this.stirred) return
    this.stirred = true
    this.wake()
  }

  /**
   * Looks until the signal aborts.
   * @param look resolves to the time until something is due, ms; undefined: nothing is. Must not reject
   */
  async run(look: () => Promise<number | undefined>, signal: AbortSignal): Promise<void> {
    const unsubscribe = this.options.notices.subscribe(() => {
      this.told = true
      this.wake()
    })
    const abort = () => this.wake()
    signal.addEventListener('abort', abort)
    while (!signal.aborted) {
      this.told = this.stirred = false
      const begunAt = performance.now()
      const dueMs = await look()
      await this.rest(begunAt, dueMs, signal)
    }
    signal.removeEventListener('abort', abort)
    unsubscribe()
  }

  private async rest(begunAt: number, dueMs: number | undefined, signal: AbortSignal): Promise<void> {
    const dueAt = performance.now() + (dueMs ?? Number.POSITIVE_INFINITY)
    while (!signal.aborted) {
      const ms = begunAt + this.interval(dueAt - begunAt) - performance.now()
      if (ms <= 0) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        this.wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** Time from one look to the next. @param dueMs from the same look until something is due */
  private interval(dueMs: number): number {
    const { leastMs, soonMs, seldomMs, notices } = this.options
    if (this.told) return leastMs
    if (this.stirred || !notices.heard) return soonMs
    return Math.min(seldomMs, Math.max(soonMs, dueMs))
  }
}
