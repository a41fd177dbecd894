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
}

/**
 * Processes the selected events lane by lane, each step in a transaction of its own that holds the lane's lock.
 * @param stepsIn makes the step of a lane, which is repeated until it finds nothing more to do
 */
export async function workInLanes<Done>(
  pool: Pool,
  selection: Selection,
  { onProgress, signal }: Work,
  stepsIn: (lane: number) => (tx: Tx) => Promise<readonly Done[]>,
): Promise<Done[]> {
  const all: Done[] = []
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
    }
  }
  return all
}
