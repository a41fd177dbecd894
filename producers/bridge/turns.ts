/** Runs the works of one key one after another, in the order in which they were added; those of different keys at once. */
export class Turns {
  private readonly last = new Map<string, Promise<unknown>>()

  /** @returns what the work returns. A work that fails does not hold up the next one. */
  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.last.get(key)
    const own = before ? before.then(work, work) : work()
    this.last.set(key, own)
    return own.finally(() => {
      if (this.last.get(key) === own) this.last.delete(key)
    })
  }
}
