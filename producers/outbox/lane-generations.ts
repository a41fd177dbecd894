import { TallyError } from '../../infra/errors.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { Tx } from '../../infra/postgres/transaction.ts'
import type { Generation } from '../../infra/topic-generations/generation-table.ts'

/**
 * Creates the lanes of a new database of the orders API, one per partition.
 * @throws TallyError CONFIG_INVALID if the database has another number of lanes: an order's lane must not change
 */
export async function ensureLanes(pool: Pool, { number, partitions }: Generation): Promise<void> {
  await pool.query(
    `insert into lane (lane, generation) select generate_series(0, $1 - 1), $2 where not exists (select from lane)
     on conflict do nothing`,
    [partitions, number],
  )
  // After a change to fewer partitions, unused lanes remain
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

/** Creates the lanes that are missing for a partition count. @param generation of the new lanes; @default the first */
export const addLanes = (tx: Tx, partitions: number, generation = 1): Promise<unknown> =>
  tx.query('insert into lane (lane, generation) select generate_series(0, $1 - 1), $2 on conflict do nothing', [
    partitions,
    generation,
  ])

/** Locks every lane, in order. Waits for transactions of owners in progress and blocks new ones until this one ends. */
export const lockEveryLane = (tx: Tx): Promise<unknown> => tx.query('select from lane order by lane for update')

/** Moves every lane to a generation of the topics, with a new epoch and no owner. */
export const moveLanes = (tx: Tx, generation: number): Promise<unknown> =>
  tx.query('update lane set epoch = epoch + 1, generation = $1, owner = null, claimed_at = null', [generation])

/** The same for the orders API, whose events get new numbers. @param nextSeqs the number of the next event by lane */
export const moveLanesWithSeqs = (
  tx: Tx,
  generation: number,
  nextSeqs: ReadonlyMap<number, number>,
): Promise<unknown> =>
  tx.query(
    `update lane set epoch = epoch + 1, generation = $3, owner = null, lease_until = null, next_seq = counted.next_seq
     from unnest($1::int[], $2::bigint[]) as counted (lane, next_seq) where lane.lane = counted.lane`,
    [[...nextSeqs.keys()], [...nextSeqs.values()], generation],
  )

/** The number of the next event of every lane. */
export async function readAllNextSeqs(tx: Tx): Promise<Map<number, number>> {
  const { rows } = await tx.query<{ lane: number; next_seq: number }>('select lane, next_seq from lane')
  return new Map(rows.map(({ lane, next_seq }) => [lane, next_seq]))
}

/** Whether the service has moved to a newer generation of the topics than this one. */
export async function hasNewerGeneration(tx: Tx, generation: number): Promise<boolean> {
  return (await tx.query('select from lane where generation > $1 limit 1', [generation])).rows.length > 0
}

/** The number of lanes of a generation that no replica has claimed yet. @param schema quoted */
export async function countUnclaimed(pool: Pool, schema: string, { number, partitions }: Generation): Promise<number> {
  const { rows } = await pool.query<{ lanes: number }>(
    `select count(*) as lanes from ${schema}.lane where lane < $1 and generation = $2 and owner is null`,
    [partitions, number],
  )
  return rows[0]?.lanes ?? 0
}

/** Records the numbers of the events in the outbox as withdrawn: they get new ones, and must not appear to be lost. */
export const withdrawWaiting = (tx: Tx, generation: number): Promise<unknown> =>
  tx.query(
    `insert into withdrawn (generation, lane, first_seq, next_seq)
     select $1, lane, min(first_seq), next_seq from outbox_batch join lane using (lane) group by lane, next_seq`,
    [generation],
  )
