/** @returns whether it is time again: at the first call, and then at most once in `everyMs` */
export function seldom(everyMs: number, clock = () => performance.now()): () => boolean {
  let nextAt = -Infinity
  return () => {
    const now = clock()
    if (now < nextAt) return false
    nextAt = now + everyMs
    return true
  }
}
