/** Runs works side by side, and single ones alone: such a one begins after all before it, and those after it wait. */
export class SideBySide {
  private readonly running = new Set<Promise<unknown>>()
  /** The last work that runs alone, while it has not ended. */
  private barrier: Promise<unknown> | undefined

  /** @returns what the work returns */
  together<T>(work: () => Promise<T>): Promise<T> {
    return this.run(this.barrier ? this.barrier.then(work, work) : work())
  }

  /** @returns what the work returns */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const own = this.run(Promise.allSettled(this.running).then(work))
    this.barrier = own
    return own.finally(() => {
      if (this.barrier === own) this.barrier = undefined
    })
  }

  private run<T>(own: Promise<T>): Promise<T> {
    this.running.add(own)
    const ended = () => void this.running.delete(own)
    own.then(ended, ended)
    return own
  }
}
