import type { Pool } from '../../../../infra/postgres/pool.ts'
import { inTransaction } from '../../../../infra/postgres/transaction.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'

/** Blocks of 8 kB of a table, in its physical order: `ctid >= from and ctid < to`. */
export interface Blocks {
  readonly from: string
  readonly to: string
}

/** Rows that old age removes from a table. */
export interface Retirement {
  /** Row of the table `retention`. */
  readonly what: 'audit' | 'state'
  readonly table: string
  /** Deletes old rows of these blocks and counts them in `retired`. @returns how many it deleted */
  retire(tx: Tx, blocks: Blocks): Promise<number>
}

/** Blocks per transaction: some thousand rows. */
export const usualSlice = 128

/**
 * Deletes the old rows of one slice of a table, beside its batches. Where to continue is in the database and moves in the same
 * transaction: of several processes one has the slice, and after a kill another one continues. A pass begins once a day.
 * @returns rows deleted; undefined if no slice is due or another process has it
 */
export const sweepSlice = (
  pool: Pool,
  { what, table, retire }: Retirement,
  slice = usualSlice,
): Promise<number | undefined> =>
  inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ next: number; blocks: number }>(
      `select next_block as next, pg_relation_size($2::regclass) / current_setting('block_size')::int as blocks
       from retention where what = $1 and due_at <= now() for update skip locked`,
      [what, table],
    )
    const [turn] = rows
    if (!turn) return undefined
    const end = turn.next + slice
    const deleted = await retire(tx, { from: `(${turn.next},0)`, to: `(${end},0)` })
    await tx.query(
      `update retention set next_block = $2, due_at = case when $3 then now() + interval '1 day' else due_at end
       where what = $1`,
      [what, end < turn.blocks ? end : 0, end >= turn.blocks],
    )
    return deleted
  })
