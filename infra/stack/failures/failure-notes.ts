/** A sentence without its figures, which change from one attempt to the next. */
const gistOf = (sentence: string): string => sentence.replaceAll(/\d+/g, '0')

/** Counts the failures of one process and decides which are told: the first two, and each whose cause is another one. */
export class FailureNotes {
  #gist: string | undefined
  #failures = 0

  /** Failures in succession. */
  get failures(): number {
    return this.#failures
  }

  /** @returns whether the operator should hear of it */
  failed(sentence: string): boolean {
    this.#failures++
    const before = this.#gist
    this.#gist = gistOf(sentence)
    return this.#failures <= 2 || this.#gist !== before
  }

  /** Call it when the process has run long enough to count as healthy. */
  recovered(): void {
    this.#failures = 0
    this.#gist = undefined
  }
}

/** Whether two sentences tell of the same. */
export const sameGist = (one: string | undefined, other: string | undefined): boolean =>
  one === undefined || other === undefined ? one === other : gistOf(one) === gistOf(other)
