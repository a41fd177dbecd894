import { parentPort, workerData } from 'node:worker_threads'
import { mutations } from './mutations.ts'
import { simulate } from './simulate.ts'
import { takeOverTime } from './time/take-over-time.ts'

/** What a worker is to do: seeds from `first` on, each `step`th, up to `last`. */
export interface SeedsOrder {
  first: number
  last: number
  step: number
  mutation?: string
  trace?: boolean
}

/** Runs seeds in a thread of their own, because time is taken over for the whole thread. */
async function work({ first, last, step, mutation, trace }: SeedsOrder): Promise<void> {
  takeOverTime()
  const broken = mutations.find(({ name }) => name === mutation)
  for (let seed = first; seed <= last; seed += step) {
    const outcome = await simulate({
      seed,
      mutation: broken,
      trace: trace ? (line) => parentPort?.postMessage({ line }) : undefined,
    })
    parentPort?.postMessage({ outcome })
  }
}

if (parentPort) await work(workerData as SeedsOrder)
