/** Of one lane: the times its events were published, epoch ms, ascending. */
export type LaneTimes = readonly number[]

/**
 * The longest time without a publication in `[from, to)`, milliseconds, counted from the last one before. A lane that is
 * given an event every 24 ms shows that at least; one that never goes on stands still up to `to`.
 */
export function longestStandstill(times: LaneTimes, from: number, to: number): number {
  let longest = 0
  for (const [index, begin] of times.entries()) {
    if (begin >= to) break
    const end = Math.min(times[index + 1] ?? to, to)
    if (end > from) longest = Math.max(longest, end - begin)
  }
  return longest
}
