/** What a controller has measured and decided. Times in milliseconds. */
export interface LingerState {
  /** Time between the beginnings of two cycles, at least; 0 while there is time. */
  readonly floorMs: number
  /** What a cycle costs before its first input. */
  readonly priceMs: number
  /** Inputs of a cycle, on average. */
  readonly inputs: number
  /** How scarce processors are: 0 plenty, 1 scarce. */
  readonly scarcity: number
}

/** No cycle begins later than this after the previous one because of lingering, ms. */
export const longestMs = 150
/** The fixed price of cycles may take this share of a busy process's time. */
const priceShare = 0.05
/** Inputs whose own work is this many times the fixed price need not wait for more. */
const plentyOfWork = 4
/** Weight of the latest cycle in the averages. */
const weight = 0.1

/**
 * Decides how long to wait before the next cycle (a transaction and the fetch before it, or a request of the relay), so
 * that where processors are scarce the fixed price of a cycle stays a small part of the work. It bounds the time between
 * the *beginnings* of cycles: an input after a pause never waits, and no input waits longer than `longestMs`. Where there
 * are plenty of processors nothing waits at all. Pure: times and scarcity are arguments.
 */
export class Linger {
  private lastBegin = Number.NEGATIVE_INFINITY
  private scarcity = 0
  private cycles = 0
  // Averages over cycles of inputs, duration, inputs², inputs × duration: a line through (inputs, duration)
  private n = 0
  private d = 0
  private nn = 0
  private nd = 0

  /**
   * @param scarcity 0 to 1
   * @param share of the time between two cycles: less than 1 for what prepares the next one
   * @returns milliseconds to wait before a cycle with these inputs begins
   */
  waitMs(now: number, inputs: number, scarcity: number, share = 1): number {
    this.scarcity = scarcity
    const floor = share * this.floorMs
    if (floor === 0 || inputs * this.slope >= plentyOfWork * this.priceMs) return 0
    return Math.max(0, Math.min(floor, this.lastBegin + floor - now))
  }

  began(now: number): void {
    this.lastBegin = now
  }

  /** @param ms duration of the cycle */
  ended(inputs: number, ms: number): void {
    const share = Math.max(weight, 1 / ++this.cycles)
    this.n += share * (inputs - this.n)
    this.d += share * (ms - this.d)
    this.nn += share * (inputs * inputs - this.nn)
    this.nd += share * (inputs * ms - this.nd)
  }

  get state(): LingerState {
    return { floorMs: this.floorMs, priceMs: this.priceMs, inputs: this.n, scarcity: this.scarcity }
  }

  private get floorMs(): number {
    return this.scarcity * Math.min(longestMs, this.priceMs / priceShare)
  }

  /** Milliseconds per input. With cycles of equal size all of the price counts as fixed, until waiting makes them differ. */
  private get slope(): number {
    const variance = this.nn - this.n * this.n
    if (variance < 0.01 * this.n * this.n || this.n === 0) return 0
    return Math.min(this.d / this.n, Math.max(0, (this.nd - this.n * this.d) / variance))
  }

  private get priceMs(): number {
    return Math.max(0, this.d - this.slope * this.n)
  }
}
