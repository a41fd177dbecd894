import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { inTransaction, prepared } from '../../../infra/postgres/transaction.ts'
import { selectedLanes } from '../../runtime/tables/parked-list.ts'
import type { Selection } from '../../runtime/tables/parked-list.ts'

const lockRow = prepared<{ epoch: number }>('lane_lock_by_hand', 'select epoch from lane where lane = $1 for update')

/**
 * Locks a lane's row without owning the lane. The owner waits meanwhile, so the transaction must be short. First statement of
 * every operator's transaction that touches parked events.
 * @returns the epoch of the owner, to act in its place within this transaction
 */
export async function lockLaneAsOperator(tx: Tx, lane: number): Promise<number> {
  const [row] = await lockRow(tx, lane)
  return row?.epoch ?? 0
}

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
