import type { Tx } from '../../../infra/postgres/transaction.ts'
import { inTransaction, prepared } from '../../../infra/postgres/transaction.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { ParkedInput } from '../../runtime/model.ts'

/** Which parked events of a group a person means. What is not given does not matter; nothing given means all of them. */
export interface Selection {
  readonly ids?: readonly number[]
  readonly keys?: readonly string[]
  readonly reasons?: readonly ParkedInput['reason'][]
  /** None parked after this one: what a person has not seen is not touched. */
  readonly upTo?: number
}

/** A condition on `parked`; takes the parameters $1 to $4. */
export const selected = `($1::bigint[] is null or id = any($1)) and ($2::text[] is null or key = any($2))
  and ($3::text[] is null or reason = any($3)) and ($4::bigint is null or id <= $4)`

export const selectionValues = ({ ids, keys, reasons, upTo }: Selection): unknown[] => [
  ids ?? null,
  keys ?? null,
  reasons ?? null,
  upTo ?? null,
]

const lanesOf = prepared<{ lane: number }>(
  'parked_lanes',
  `select distinct lane from parked where ${selected} order by lane`,
)
const lockRow = prepared<{ epoch: number }>('lane_lock_by_hand', 'select epoch from lane where lane = $1 for update')

/**
 * Locks a lane's row as someone who does not own the lane: its owner waits meanwhile, so be quick. First statement of every
 * transaction of a person's that touches parked events.
 * @returns the epoch of the owner, to act in its place within this transaction
 */
export async function lockLaneByHand(tx: Tx, lane: number): Promise<number> {
  const [row] = await lockRow(tx, lane)
  return row?.epoch ?? 0
}

export interface Work {
  /** Told after each transaction how many events are done. */
  onProgress?(done: number): void
  /** Ends the work between two transactions: what is done stays done. */
  signal?: AbortSignal
}

/**
 * Works through the selected events lane by lane, each step in a transaction of its own that holds one lane's lock.
 * @param stepsIn makes the step of a lane; it is run until it has found nothing more to do
 */
export async function workByHand<Done>(
  pool: Pool,
  selection: Selection,
  { onProgress, signal }: Work,
  stepsIn: (lane: number) => (tx: Tx) => Promise<readonly Done[]>,
): Promise<Done[]> {
  const all: Done[] = []
  for (const { lane } of await lanesOf(pool, ...selectionValues(selection))) {
    const step = stepsIn(lane)
    for (let done: readonly Done[] | undefined; done === undefined || done.length > 0; ) {
      signal?.throwIfAborted()
      done = await inTransaction(pool, async (tx) => {
        await lockLaneByHand(tx, lane)
        return step(tx)
      })
      all.push(...done)
      onProgress?.(all.length)
    }
  }
  return all
}
