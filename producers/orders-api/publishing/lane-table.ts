import { TallyError } from '../../../infra/errors.ts'
import type { Generation } from '../../../infra/topic-generations/generation-table.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'

/**
 * Makes the lanes of a new database, one per partition.
 * @throws TallyError CONFIG_INVALID if there are others: an order's lane must never change by itself
 */
export async function ensureLanes(pool: Pool, { number, partitions }: Generation): Promise<void> {
  await pool.query(
    `insert into lane (lane, generation) select generate_series(0, $1 - 1), $2 where not exists (select from lane)
     on conflict do nothing`,
    [partitions, number],
  )
  // Fewer partitions leave lanes behind that nothing is written to any more
  const { rows } = await pool.query<{ lanes: number; of: number }>(
    'select count(*) as lanes, max(generation) as of from lane',
  )
  const { lanes = 0, of = number } = rows[0] ?? {}
  if (of === number && (number === 1 ? lanes !== partitions : lanes < partitions)) {
    throw new TallyError(
      'CONFIG_INVALID',
      `The orders of this database are spread over ${lanes} partitions, but TALLY_PARTITIONS is ${partitions}: set it to ${lanes}`,
    )
  }
}

const lock = prepared<{ lane: number; next_seq: number }>(
  'lanes_lock',
  'select lane, next_seq from lane where lane = any($1) and generation = $2 order by lane for update',
)

/**
 * Locks lanes until the transaction ends, in order, so that two of them never wait for each other in a circle.
 * @returns the number each lane's next event gets
 * @throws TallyError FENCED if they are not of this generation of the topics
 */
export async function lockLanes(tx: Tx, lanes: readonly number[], generation: number): Promise<Map<number, number>> {
  const locked = await lock(tx, lanes, generation)
  if (locked.length !== lanes.length)
    throw new TallyError('FENCED', `of lanes ${lanes.join()} some are not of generation ${generation} of the topics`)
  return new Map(locked.map(({ lane, next_seq }) => [lane, next_seq]))
}

const nextSeqs = prepared<{ lane: number; next_seq: number }>(
  'lane_next_seqs',
  'select lane, next_seq from lane where lane = any($1)',
)

/** The number each lane's next event gets, as last committed by whichever replica. */
export async function readNextSeqs(pool: Pool, lanes: readonly number[]): Promise<Map<number, number>> {
  return new Map((await nextSeqs(pool, lanes)).map(({ lane, next_seq }) => [lane, next_seq]))
}
