import { readFileSync } from 'node:fs'
import { processorTimes } from '../processor-times.ts'

/** Between two looks at the counters, ms. */
const everyMs = 200
/** Weight of a look in the average: that of the last second counts. */
const weight = 0.3

/** Counters that grow: of the time that `of` counts, `short` is the part in which processors were short. */
export interface Counters {
  readonly short: number
  readonly of: number
}

/** Counters, and the shares of them between which processors get from plentiful to scarce. */
export interface Gauge {
  read(): Counters
  readonly plenty: number
  readonly scarce: number
}

/**
 * The time in which the main thread could have run, and the part of it in which it waited for a processor. The machine's
 * load would also count work of lower priority, which makes nobody wait, and would not show the limit of a container.
 * Source: field 1 and 2 of /proc/<pid>/schedstat, see Linux, Documentation/scheduler/sched-stats.rst.
 */
const ownWait: Gauge = {
  read() {
    const [ran = 0, waited = 0] = readFileSync('/proc/self/schedstat', 'latin1').split(' ').map(Number)
    return { short: waited, of: ran + waited }
  },
  plenty: 0.7,
  scarce: 0.85,
}

/** Where the kernel does not count that: the share of all processors that is in use. */
const machineLoad: Gauge = {
  read() {
    const { busy, all } = processorTimes()
    return { short: busy, of: all }
  },
  plenty: 0.6,
  scarce: 0.85,
}

/**
 * How scarce processors are for this process, from 0 (it gets one when it wants one) to 1. Looks when asked: an idle
 * process does not ask, and has no timer.
 */
export function scarcity(gauge = bestGauge(), clock = () => performance.now()): () => number {
  let [at, before, share] = [clock(), gauge.read(), 0]
  return () => {
    const now = clock()
    const elapsed = now - at
    if (elapsed >= everyMs) {
      const seen = gauge.read()
      const of = seen.of - before.of
      const seenShare = of > 0 ? (seen.short - before.short) / of : 0
      // After a pause the average says nothing about now
      share = elapsed > 10 * everyMs ? seenShare : share + weight * (seenShare - share)
      ;[at, before] = [now, seen]
    }
    return Math.min(1, Math.max(0, (share - gauge.plenty) / (gauge.scarce - gauge.plenty)))
  }
}

/** The waiting of this process, or the machine's load where the kernel does not count that. */
export function bestGauge(): Gauge {
  try {
    return ownWait.read().of > 0 ? ownWait : machineLoad
  } catch {
    return machineLoad // Not Linux, or a kernel without these counters
  }
}
