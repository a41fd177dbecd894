import { setTimeout as delay } from 'node:timers/promises'
import { Linger } from './linger.ts'
import type { LingerState } from './linger.ts'

/** A controller with this process's clock and its share of processors: one for each kind of cycle of a process. */
export class Pace {
  private readonly linger = new Linger()
  private readonly scarcity: () => number

  /** @param scarcity of processors, 0 to 1; see `scarcity` */
  constructor(scarcity: () => number) {
    this.scarcity = scarcity
  }

  get state(): LingerState {
    return this.linger.state
  }

  /** Milliseconds until a cycle with these inputs should begin; 0: now. @param share see `Linger` */
  waitMs(inputs: number, share = 1): number {
    return this.linger.waitMs(performance.now(), inputs, this.scarcity(), share)
  }

  /** Waits until the next cycle, or with a share what prepares it, should begin. */
  async rest(inputs: number, share = 1): Promise<void> {
    const ms = this.waitMs(inputs, share)
    if (ms > 0) await delay(ms)
  }

  /** Runs a cycle and measures it. A failed one counts for nothing. */
  async cycle<T>(inputs: number, work: () => Promise<T>): Promise<T> {
    const begin = performance.now()
    this.linger.began(begin)
    const result = await work()
    this.linger.ended(inputs, performance.now() - begin)
    return result
  }
}
