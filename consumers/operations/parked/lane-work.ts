import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { inTransaction } from '../../../infra/postgres/transaction.ts'
import { lockLaneAsOperator } from '../../../producers/outbox/lane-table.ts'
import { selectedLanes } from '../../runtime/tables/parked-list.ts'
import type { Selection } from '../../runtime/tables/parked-list.ts'

export interface Work {
  /** Called after each transaction with the number of events done. */
  onProgress?(done: number): void
  /** Ends the work between two transactions; what was committed stays. */
  signal?: AbortSignal
  /** At most so many done a second, on average. @default as many as possible */
  ratePerSecond?: number
}

/**
 * Processes the selected events lane by lane, each step in a transaction of its own that holds the lane's lock.
 * @param stepsIn makes the step of a lane, which is repeated until it finds nothing more to do
 */
export async function workInLanes<Done>(
  pool: Pool,
  selection: Selection,
  { onProgress, signal, ratePerSecond }: Work,
  stepsIn: (lane: number) => (tx: Tx) => Promise<readonly Done[]>,
): Promise<Done[]> {
  const all: Done[] = []
  const began = performance.now()
  for (const lane of await selectedLanes(pool, selection)) {
    const step = stepsIn(lane)
    for (let done: readonly Done[] | undefined; done === undefined || done.length > 0; ) {
      signal?.throwIfAborted()
      done = await inTransaction(pool, async (tx) => {
        await lockLaneAsOperator(tx, lane)
        return step(tx)
      })
      all.push(...done)
      onProgress?.(all.length)
      const earlyMs = ratePerSecond === undefined ? 0 : (1_000 * all.length) / ratePerSecond + began - performance.now()
      if (earlyMs > 0 && done.length > 0) await delay(earlyMs, undefined, { signal })
    }
  }
  return all
}
