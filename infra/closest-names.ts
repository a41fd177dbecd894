/**
 * Names that an operator may have meant: those that are about equally few letters away, case ignored.
 * @param most number of names returned at most, nearest first
 * @returns none if every name differs in more than half of the letters
 */
export function closestNames(text: string, names: readonly string[], most = 3): string[] {
  const near = names
    .map((name) => ({ name, away: distance(text.toLowerCase(), name.toLowerCase()) }))
    .filter(({ away }) => away <= text.length / 2)
    .sort((a, b) => a.away - b.away)
  return near.filter(({ away }) => away <= (near[0]?.away ?? 0) + 1).flatMap(({ name }, at) => (at < most ? name : []))
}

/** ` Did you mean epoch-check or epoch-claim?`, to append to a sentence; empty if no name is close. */
export function didYouMean(text: string, names: readonly string[]): string {
  const close = closestNames(text, names)
  const last = close.pop()
  if (last === undefined) return ''
  return ` Did you mean ${close.length > 0 ? `${close.join(', ')} or ` : ''}${last}?`
}

/** Letters to change, add or remove (Levenshtein distance). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const change = (row[j] ?? 0) + (a.charAt(i) === b.charAt(j) ? 0 : 1)
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
