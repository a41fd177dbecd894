/**
 * Decides which work of a lane runs at the same time. Work alone waits for all earlier work and delays all later work.
 * Work of different sources (topics, answers) runs side by side, so that one transaction can take all that waits for the
 * lane; that of one source runs in order.
 */
export class Turns {
  /** Resolves when all work so far has ended. */
  private all: Promise<unknown> = Promise.resolve()
  /** The turn that work side by side can still join: when it begins, and the end of the last work of each source. */
  private open: { readonly begins: Promise<unknown>; readonly bySource: Map<string, Promise<unknown>> } | undefined

  alone<T>(work: () => Promise<T>): Promise<T> {
    this.open = undefined
    const run = this.all.then(work)
    this.all = run.catch(() => {})
    return run
  }

  beside<T>(source: string, work: () => Promise<T>): Promise<T> {
    const { begins, bySource } = (this.open ??= { begins: this.all, bySource: new Map() })
    const run = (bySource.get(source) ?? begins).then(work)
    const ended = run.catch(() => {})
    bySource.set(source, ended)
    this.all = Promise.all([this.all, ended]).then(() => {}) // Without the results, which would hold all earlier ones
    return run
  }
}
