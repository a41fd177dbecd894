import { cpus } from 'node:os'

/** What all processors have counted since the machine started, milliseconds. */
export interface ProcessorTimes {
  readonly busy: number
  /** Idle time included. */
  readonly all: number
}

export function processorTimes(): ProcessorTimes {
  let [busy, all] = [0, 0]
  for (const { times } of cpus()) {
    const used = times.user + times.sys + times.nice + times.irq
    busy += used
    all += used + times.idle
  }
  return { busy, all }
}
