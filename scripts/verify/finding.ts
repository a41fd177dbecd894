/** The result of checking one invariant. */
export interface Finding {
  /** Stable name for JSON output, such as `captured-once`. */
  id: string
  /** The invariant in words. */
  invariant: string
  /** What was counted, in words. */
  figures: string
  violations: number
  /** The first few violations, then notices. */
  examples: readonly string[]
  /** All violations and notices. */
  reported: number
}

/** @param isNotice true for something that an operator should see but that violates nothing */
export type Report = (example: string, isNotice?: boolean) => void

/** Reports a fault of an order or article. If an operator's act concerns its key, the act is named as the cause instead. */
export type ReportOf = (key: string, fault: string) => void

/** @param causeOf see `Evidence.causeOf` */
export const explaining =
  (report: Report, causeOf: (key: string) => string | undefined): ReportOf =>
  (key, fault) => {
    const cause = causeOf(key)
    report(cause === undefined ? `${key}: ${fault}` : `${key}: ${fault}, because ${cause}`, cause !== undefined)
  }

const [violationsShown, noticesShown] = [5, 50]

/**
 * Checks one invariant.
 * @param check reports each violation and returns the figures
 */
export function judge(id: string, invariant: string, check: (report: Report) => string): Finding {
  const faults: string[] = []
  const notices: string[] = []
  let [violations, reported] = [0, 0]
  const figures = check((example, isNotice = false) => {
    if (!isNotice) violations++
    reported++
    const [kept, atMost] = isNotice ? [notices, noticesShown] : [faults, violationsShown]
    if (kept.length < atMost) kept.push(example)
  })
  return { id, invariant, figures, violations, examples: [...faults, ...notices], reported }
}

/** `12,345` */
export const count = (value: number): string => value.toLocaleString('en')

/** Counts items by word: `{ completed: 3, rejected: 1 }`. */
export function countBy<T, Word extends string>(items: Iterable<T>, wordOf: (item: T) => Word): Map<Word, number> {
  const counts = new Map<Word, number>()
  for (const item of items) counts.set(wordOf(item), (counts.get(wordOf(item)) ?? 0) + 1)
  return counts
}

/** `830 completed, 12 rejected` */
export const counted = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([word, number]) => `${count(number)} ${word}`).join(', ') || 'none'
