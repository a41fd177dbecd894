/** Publication times of one lane, epoch ms, ascending. */
export type LaneTimes = readonly number[]

/**
 * The longest time without a publication in `[from, to)`, milliseconds, including the time since the last one before. At
 * least the interval of the lane's events, 24 ms; for a lane that does not resume, up to `to`.
 */
export function longestPause(times: LaneTimes, from: number, to: number): number {
  let longest = 0
  for (const [index, begin] of times.entries()) {
    if (begin >= to) break
    const end = Math.min(times[index + 1] ?? to, to)
    if (end > from) longest = Math.max(longest, end - begin)
  }
  return longest
}
