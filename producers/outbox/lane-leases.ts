import { inTransaction, prepared } from '../../infra/postgres/transaction.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { Tx } from '../../infra/postgres/transaction.ts'

/**
 * The right to publish a lane of the orders API. A lease expires by the database's clock unless it is renewed. Each new
 * holder raises the lane's epoch. Leases only reduce duplicates: if a frozen holder wakes up and publishes, readers
 * drop the duplicates by event id.
 */
export interface Lease {
  lane: number
  epoch: number
}

/** Default duration of a lease. A holder that cannot renew its leases stops publishing before they expire. */
export const usualLeaseMs = 1_500

/** A replica and the duration of its leases. */
export interface Holder {
  owner: string
  lengthMs: number
}

interface KeptRow {
  lane: number | null
  epoch: number
  next_seq: number
  kept: boolean
  free_ms: number | null
}

const keep = prepared<KeptRow>(
  'lease_keep',
  `with own as (
     select lane, kept from lane,
       lateral (select coalesce(epoch = ($4::bigint[])[array_position($3::int[], lane)], false) as kept) as held
     where kept or lease_until is null or lease_until < clock_timestamp()
     order by lane for update of lane),
   renewed as (update lane set epoch = lane.epoch + (not kept)::int, owner = $1,
     claimed_at = case when kept then claimed_at else clock_timestamp() end,
     lease_until = clock_timestamp() + make_interval(secs => $2 / 1000.0)
     from own where lane.lane = own.lane
     returning lane.lane, epoch, next_seq, kept)
   select lane, epoch, next_seq, kept,
     (select extract(epoch from min(lease_until) - clock_timestamp()) * 1000
      from lane where lane not in (select lane from own))::float8 as free_ms
   from renewed right join (select) as always on true`,
)

/** What a holder has after it asked for its leases. */
export interface KeptLeases {
  /** The leases it still holds, now extended by their full duration; the others are lost. */
  readonly kept: readonly Lease[]
  /** Those of lanes that had no holder. */
  readonly claimed: readonly Lease[]
  /** The number of the next event of each of these lanes, as last committed by any replica. */
  readonly nextSeqs: ReadonlyMap<number, number>
  /** Time until the first lease of another holder expires unless it is renewed, ms. Infinity if there is none. */
  readonly freeInMs: number
}

/**
 * Extends the leases that are still held, and takes every lane without a holder, in one statement. Locks in lane order, as
 * writers of orders do, so that they cannot deadlock.
 */
export async function keepLeases(
  pool: Pool,
  leases: readonly Lease[],
  { owner, lengthMs }: Holder,
): Promise<KeptLeases> {
  const epochs = leases.map(({ epoch }) => epoch)
  const answer = await keep(pool, owner, lengthMs, lanesOf(leases), epochs)
  const rows = answer.flatMap((row) => (row.lane === null ? [] : [{ ...row, lane: row.lane }])) // One row says that there is none
  const those = (held: boolean) =>
    rows.filter(({ kept }) => kept === held).map(({ lane, epoch }): Lease => ({ lane, epoch }))
  return {
    kept: those(true),
    claimed: those(false),
    nextSeqs: new Map(rows.map(({ lane, next_seq }) => [lane, next_seq])),
    freeInMs: answer[0]?.free_ms ?? Number.POSITIVE_INFINITY,
  }
}

const lockOwn = prepared<Lease>(
  'lease_lock',
  `select lane.lane, lane.epoch from lane join unnest($1::int[], $2::bigint[]) as held (lane, epoch)
     on lane.lane = held.lane and lane.epoch = held.epoch
   order by lane.lane for update of lane`,
)

const setFree = prepared('lease_release', 'update lane set lease_until = null where lane = any($1)')

/** Releases leases, so that another replica need not wait until they expire. */
export const releaseLeases = (pool: Pool, leases: readonly Lease[]): Promise<void> =>
  inTransaction(pool, async (tx) => {
    await setFree(tx, lanesOf(await lockHeld(tx, leases)))
  })

const lanesOf = (leases: readonly Lease[]) => leases.map(({ lane }) => lane)

/** Locks in lane order, as writers of orders do, so that they cannot deadlock. */
const lockHeld = (tx: Tx, leases: readonly Lease[]): Promise<Lease[]> =>
  lockOwn(
    tx,
    lanesOf(leases),
    leases.map(({ epoch }) => epoch),
  )

/** Takes the leases of all lanes from any holder. Locks in lane order. @param schema quoted */
export const seizeLeases = (pool: Pool, schema: string, owner: string, seconds: number): Promise<unknown> =>
  pool.query(
    `update ${schema}.lane set owner = $1, epoch = epoch + (owner is distinct from $1)::int, claimed_at = clock_timestamp(),
       lease_until = clock_timestamp() + $2 * interval '1 second'
     from (select lane from ${schema}.lane order by lane for update) as held where lane.lane = held.lane`,
    [owner, seconds],
  )

/** Releases the leases that `owner` has seized and still holds. @param schema quoted */
export const releaseSeized = (pool: Pool, schema: string, owner: string): Promise<unknown> =>
  pool.query(
    `update ${schema}.lane set lease_until = null
     from (select lane from ${schema}.lane where owner = $1 order by lane for update) as held where lane.lane = held.lane`,
    [owner],
  )

/** A lane of the orders API, for its health check. */
export interface LeasedLane {
  lane: number
  /** Null if its lease is free. */
  holder: string | null
  /** Whether events wait to be published. */
  waiting: boolean
  /** Age of the oldest of them, milliseconds. */
  oldest_ms: number | null
}

export const readLeasedLanes = prepared<LeasedLane>(
  'health_lanes',
  `select lane.lane, case when lease_until > clock_timestamp() then owner end as holder, first.written_at is not null as waiting,
     (extract(epoch from clock_timestamp() - first.written_at) * 1000)::bigint as oldest_ms
   from lane left join lateral
     (select written_at from outbox_batch as o where o.lane = lane.lane order by first_seq limit 1) as first on true
   order by lane.lane`,
)
