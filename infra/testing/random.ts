/** Random numbers that depend only on the seed and on the order of calls. */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 0
  }

  /** Uniform in [0, 1). Mulberry32, by Tommy Ettinger. */
  uniform(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  chance(probability: number): boolean {
    return this.uniform() < probability
  }

  /** Uniform in [from, to). */
  between(from: number, to: number): number {
    return from + this.uniform() * (to - from)
  }

  /** An integer in [from, to]. */
  integer(from: number, to: number): number {
    return Math.floor(this.between(from, to + 1))
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.integer(0, choices.length - 1)]
    if (choice === undefined) throw new RangeError('nothing to choose from')
    return choice
  }
}
