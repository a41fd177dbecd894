/** What became of checking one invariant. */
export interface Finding {
  /** For machines. */
  id: string
  /** The promise, in words. */
  invariant: string
  /** What was counted, for people. */
  figures: string
  violations: number
  /** The first few violations, or what else should be looked at. */
  examples: readonly string[]
}

/** @param worthALook true if it is no violation, but a person should see it */
export type Report = (example: string, worthALook?: boolean) => void

const examplesShown = 5

/**
 * Checks one invariant.
 * @param check reports each violation and returns the figures
 */
export function judge(id: string, invariant: string, check: (report: Report) => string): Finding {
  const examples: string[] = []
  let violations = 0
  const figures = check((example, worthALook = false) => {
    if (!worthALook) violations++
    if (examples.length < examplesShown) examples.push(example)
  })
  return { id, invariant, figures, violations, examples }
}

/** `12,345` */
export const count = (value: number): string => value.toLocaleString('en')

/** Makes a tally of words: `{ completed: 3, rejected: 1 }`. */
export function countBy<T, Word extends string>(items: Iterable<T>, wordOf: (item: T) => Word): Map<Word, number> {
  const counts = new Map<Word, number>()
  for (const item of items) counts.set(wordOf(item), (counts.get(wordOf(item)) ?? 0) + 1)
  return counts
}

/** `830 completed, 12 rejected` */
export const counted = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([word, number]) => `${count(number)} ${word}`).join(', ') || 'none'
