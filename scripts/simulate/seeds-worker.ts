import { parentPort, workerData } from 'node:worker_threads'
import type { Outcome } from './simulate.ts'
import { simulate } from './simulate.ts'
import { takeOverTime } from './time/take-over-time.ts'

/** Seeds from `first` to `last`, each `step`th. */
export interface SeedsOrder {
  first: number
  last: number
  step: number
  trace: boolean
}

/** A line of the trace, or the result of a seed. */
export interface SeedsMessage {
  line?: string
  outcome?: Outcome
}

/** Runs seeds in a thread of its own, because virtual time applies to a whole thread. */
async function work({ first, last, step, trace }: SeedsOrder): Promise<void> {
  const tell = (message: SeedsMessage) => parentPort?.postMessage(message)
  if (!trace) Error.stackTraceLimit = 0 // Stack traces would take a tenth of the time
  takeOverTime()
  for (let seed = first; seed <= last; seed += step) {
    const outcome = await simulate({
      seed,
      trace: trace ? (line) => tell({ line }) : undefined,
    })
    tell({ outcome })
  }
}

if (parentPort) await work(workerData as SeedsOrder)
