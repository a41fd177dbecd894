import { setTimeout as delay } from 'node:timers/promises'
import { Linger } from './linger.ts'
import type { LingerState } from './linger.ts'

/** A controller with this process's clock and the machine's load: one for each kind of cycle of a process. */
export class Pace {
  private readonly linger = new Linger()
  private readonly load: () => number

  /** @param load share of the machine in use, 0 to 1; see `machineLoad` */
  constructor(load: () => number) {
    this.load = load
  }

  get state(): LingerState {
    return this.linger.state
  }

  /** Milliseconds until a cycle with these inputs should begin; 0: now. */
  waitMs(inputs: number): number {
    return this.linger.waitMs(performance.now(), inputs, this.load())
  }

  /** Waits until the next cycle should begin. */
  async rest(inputs: number): Promise<void> {
    const ms = this.waitMs(inputs)
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
