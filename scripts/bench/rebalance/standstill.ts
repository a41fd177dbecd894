/** Of one lane: the times its events were published, epoch ms, ascending. */
export type LaneTimes = readonly number[]

/**
 * The longest time without a publication that reaches into `[from, to)`, milliseconds; Infinity if none came after it.
 * An even load of one event every 24 ms makes for at least that.
 */
export function longestStandstill(times: LaneTimes, from: number, to: number): number {
  let longest = 0
  for (const [index, begin] of times.entries()) {
    if (begin >= to) break
    const end = times[index + 1] ?? Number.POSITIVE_INFINITY
    if (end > from) longest = Math.max(longest, end - begin)
  }
  return longest
}
