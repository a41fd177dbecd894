import { processorTimes } from '../processor-times.ts'

/** Between two looks at the processors' counters, ms. */
const everyMs = 200
/** Weight of a look in the average: that of the last second counts. */
const weight = 0.3

/** Reads how busy the machine is when asked: an idle process does not ask, and has no timer. */
export function machineLoad(read = processorTimes): () => number {
  let [at, before, load] = [performance.now(), read(), 0]
  return () => {
    const now = performance.now()
    const elapsed = now - at
    if (elapsed < everyMs) return load
    const seen = read()
    const all = seen.all - before.all
    if (all <= 0) return load
    const share = (seen.busy - before.busy) / all
    // After a pause the average says nothing about now
    load = elapsed > 10 * everyMs ? share : load + weight * (share - load)
    ;[at, before] = [now, seen]
    return load
  }
}
