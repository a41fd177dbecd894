import { TallyError } from '../../infra/errors.ts'
import { prepared } from '../../infra/postgres/transaction.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { Tx } from '../../infra/postgres/transaction.ts'

/** Proof of who owns a lane: the epoch that the owner's claim gave it. */
export interface Ownership {
  readonly lane: number
  readonly epoch: number
}

const raise = prepared<{ epoch: number }>(
  'lane_raise',
  `insert into lane as l (lane, epoch, owner, claimed_at, generation)
   values ($1, 1, $2, now(), coalesce($4, (select max(generation) from lane), 1))
   on conflict (lane) do update set epoch = l.epoch + 1, owner = $2, claimed_at = now()
     where ($3::bigint is null or l.epoch = $3) and ($4::int is null or l.generation = $4)
   returning epoch`,
)

/**
 * Takes over a lane: the database then refuses every transaction of an older owner. Waits for a transaction in
 * progress.
 * @param heldEpoch takes the lane over only if it still has this epoch
 * @param generation takes the lane over only if it belongs to this generation of the topics
 * @returns the new epoch
 * @throws TallyError FENCED
 */
export async function raiseEpoch(
  tx: Tx,
  lane: number,
  owner: string,
  heldEpoch?: number,
  generation?: number,
): Promise<number> {
  const [row] = await raise(tx, lane, owner, heldEpoch ?? null, generation ?? null)
  if (row) return row.epoch
  const newer = heldEpoch === undefined ? `topics than generation ${generation}` : `owner than epoch ${heldEpoch}`
  throw new TallyError('FENCED', `lane ${lane} was taken by newer ${newer}`)
}

/** Raises a lane's epoch without its owner's knowledge, to test that the owner notices. @param schema quoted */
export const stealLane = (pool: Pool, schema: string, lane: number, thief: string): Promise<unknown> =>
  pool.query(`update ${schema}.lane set epoch = epoch + 1, owner = $2 where lane = $1`, [lane, thief])

const lock = prepared<{ next_seq: number }>(
  'lane_lock',
  'select next_seq from lane where lane = $1 and epoch = $2 for update',
)

/**
 * First statement of every transaction that writes the service's state.
 * @returns the number of the lane's next outbox row
 * @throws TallyError FENCED
 */
export async function lockLane(tx: Tx, { lane, epoch }: Ownership): Promise<number> {
  const [row] = await lock(tx, lane, epoch)
  if (!row) throw new TallyError('FENCED', `lane ${lane} has a newer owner than epoch ${epoch}`)
  return row.next_seq
}

const lockAll = prepared<{ lane: number; next_seq: number }>(
  'lane_lock_several',
  `select lane, next_seq from lane join unnest($1::int[], $2::bigint[]) as own (lane, epoch) using (lane, epoch)
   for update of lane nowait`,
)

/**
 * The same for a transaction that writes several lanes. It does not wait for a lock, so that one busy lane does not
 * delay the others and no two transactions can deadlock.
 * @returns the number of the next outbox row by lane
 * @throws TallyError FENCED; a database error (55P03) if another transaction has locked one of several lanes
 */
export async function lockOwnedLanes(tx: Tx, owns: readonly Ownership[]): Promise<Map<number, number>> {
  const [only, ...more] = owns
  if (only && more.length === 0) return new Map([[only.lane, await lockLane(tx, only)]])
  const lanes = owns.map(({ lane }) => lane)
  const locked = await lockAll(
    tx,
    lanes,
    owns.map(({ epoch }) => epoch),
  )
  if (locked.length < owns.length) throw new TallyError('FENCED', `of lanes ${lanes.join()} some have a newer owner`)
  return nextSeqsOf(locked)
}

const lockOrdered = prepared<{ lane: number; next_seq: number }>(
  'lanes_lock',
  'select lane, next_seq from lane where lane = any($1) and generation = $2 order by lane for update',
)

/**
 * Locks lanes regardless of their owners, in the order of their numbers, so that two such transactions cannot deadlock.
 * @returns the number of the next event by lane
 * @throws TallyError FENCED if some do not belong to this generation of the topics
 */
export async function lockLanesInOrder(
  tx: Tx,
  lanes: readonly number[],
  generation: number,
): Promise<Map<number, number>> {
  const locked = await lockOrdered(tx, lanes, generation)
  if (locked.length !== lanes.length)
    throw new TallyError('FENCED', `of lanes ${lanes.join()} some are not of generation ${generation} of the topics`)
  return nextSeqsOf(locked)
}

const nextSeqs = prepared<{ lane: number; next_seq: number }>(
  'lane_next_seqs',
  'select lane, next_seq from lane where lane = any($1)',
)

/** The number of the next event by lane, as last committed by any replica. */
export const readNextSeqs = async (pool: Pool, lanes: readonly number[]): Promise<Map<number, number>> =>
  nextSeqsOf(await nextSeqs(pool, lanes))

const nextSeqsOf = (rows: readonly { lane: number; next_seq: number }[]): Map<number, number> =>
  new Map(rows.map(({ lane, next_seq }) => [lane, next_seq]))

const advance = prepared(
  'lanes_advance',
  `update lane set next_seq = next_seq + count
   from unnest($1::int[], $2::bigint[]) as written (lane, count) where lane.lane = written.lane`,
)

/** Adds the number of events written to each locked lane. */
export async function advanceLanes(tx: Tx, written: ReadonlyMap<number, number>): Promise<void> {
  const some = [...written].filter(([, count]) => count > 0)
  if (some.length === 0) return
  await advance(
    tx,
    some.map(([lane]) => lane),
    some.map(([, count]) => count),
  )
}

const lockRow = prepared<{ epoch: number }>('lane_lock_by_hand', 'select epoch from lane where lane = $1 for update')

/**
 * Locks a lane's row without owning the lane. The owner waits, so the transaction must be short. It is the first
 * statement of every operator's transaction that changes parked events.
 * @returns the epoch of the owner, with which this transaction can act in its place
 */
export async function lockLaneAsOperator(tx: Tx, lane: number): Promise<number> {
  const [row] = await lockRow(tx, lane)
  return row?.epoch ?? 0
}
