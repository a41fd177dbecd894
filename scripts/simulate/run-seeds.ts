import { Worker } from 'node:worker_threads'
import { TallyError } from '../../infra/errors.ts'
import type { Outcome } from './simulate.ts'
import type { SeedsMessage, SeedsOrder } from './seeds-worker.ts'

export interface RunSeedsOptions {
  first: number
  last: number
  /** Threads. */
  workers: number
  /** Receives a readable trace, line by line. */
  traced?(line: string): void
  /** Called with the result of each seed. */
  ended?(outcome: Outcome): void
  signal?: AbortSignal
}

/**
 * Runs seeds in worker threads until one fails or all are done.
 * @returns the lowest failing seed, or undefined
 */
export async function runSeeds(options: RunSeedsOptions): Promise<Outcome | undefined> {
  const { first, last, workers, traced, ended, signal } = options
  let failed: Outcome | undefined
  const run = (order: SeedsOrder) =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(new URL('./seeds-worker.ts', import.meta.url), { workerData: order, execArgv: [] })
      const stop = () => void worker.terminate()
      signal?.addEventListener('abort', stop)
      worker.on('message', ({ line, outcome }: SeedsMessage) => {
        if (line !== undefined) traced?.(line)
        if (!outcome) return
        ended?.(outcome)
        if (outcome.failure && outcome.seed < (failed?.seed ?? Number.POSITIVE_INFINITY)) failed = outcome
        // The other threads continue while they may find a lower failing seed
        if (failed && outcome.seed >= failed.seed) stop()
      })
      worker.on('error', reject)
      worker.on('exit', () => {
        signal?.removeEventListener('abort', stop)
        resolve()
      })
    })
  const threads = Math.min(workers, last - first + 1)
  await Promise.all(
    Array.from({ length: threads }, (_, index) =>
      run({ first: first + index, last, step: threads, trace: traced !== undefined }),
    ),
  )
  if (signal?.aborted) throw new TallyError('INTERRUPTED', 'interrupted')
  return failed
}
