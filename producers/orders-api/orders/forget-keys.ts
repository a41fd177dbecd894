import { describeError } from '../../../infra/errors.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { inTransaction } from '../../../infra/postgres/transaction.ts'

/**
 * Keys of messages, which end in a space: a queue may deliver a message again as long as it keeps it. Amazon SQS keeps one
 * for at most 14 days.
 */
const keepMessagesDays = 30
const turnMinutes = 10
/** The whole table is swept once a day. */
const turnsPerSweep = (24 * 60) / turnMinutes
/** Blocks of 8 kB per statement: a few thousand rows, some 20 ms. */
const usualSlice = 1_000

/**
 * Deletes keys that no client will use again: a turn of a sweep over the table in its physical order, in slices. The position
 * and the time of the next turn are in the database, so one replica at a time sweeps, and replicas that live for a minute
 * only make the same progress. No index is needed, and no statement looks at more than a slice, whatever has piled up.
 * @param keepDays of keys of requests
 * @param sliceBlocks blocks per statement; @default 1000
 * @returns slices swept: 0 if no turn is due or another replica has it
 */
export async function forgetKeys(pool: Pool, keepDays: number, sliceBlocks = usualSlice): Promise<number> {
  let swept = 0
  for (let slices = 1; swept < slices; swept++) {
    const planned = await sweepSlice(pool, sliceBlocks, swept === 0, keepDays)
    if (planned === undefined) break
    if (swept === 0) slices = planned
  }
  return swept
}

/** @returns slices of this turn; undefined if another replica has the turn or, at its beginning, none is due */
const sweepSlice = (pool: Pool, sliceBlocks: number, begins: boolean, keepDays: number): Promise<number | undefined> =>
  inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ next: number; blocks: number }>(
      `select next_block as next, pg_relation_size('idempotency') / current_setting('block_size')::int as blocks
       from idempotency_sweep where not $1 or due_at <= now() for update skip locked`,
      [begins],
    )
    const [turn] = rows
    if (!turn) return undefined
    const first = turn.next < turn.blocks ? turn.next : 0
    const end = first + sliceBlocks
    await tx.query(
      `delete from idempotency where ctid >= $1::tid and ctid < $2::tid
         and answered_at < now() - make_interval(days => case when key like '% ' then $4::int else $3::int end)`,
      [`(${first},0)`, `(${end},0)`, keepDays, Math.max(keepDays, keepMessagesDays)],
    )
    await tx.query(
      `update idempotency_sweep set next_block = $1,
         due_at = case when $2 then now() + make_interval(mins => $3) else due_at end`,
      [end < turn.blocks ? end : 0, begins, turnMinutes],
    )
    return Math.ceil(turn.blocks / sliceBlocks / turnsPerSweep)
  })

const lookMs = 60_000

/**
 * Sweeps now and whenever a turn is due.
 * @returns stops it
 */
export function keepForgetting(pool: Pool, log: Logger, keepDays: number): () => void {
  const sweep = () =>
    forgetKeys(pool, keepDays).catch((error: unknown) =>
      log.warn({ error: describeError(error) }, 'could not delete old idempotency keys'),
    )
  void sweep()
  const timer = setInterval(() => void sweep(), lookMs).unref()
  return () => clearInterval(timer)
}
