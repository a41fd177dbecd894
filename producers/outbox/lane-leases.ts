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

const claimFree = prepared<Lease>(
  'lease_claim',
  `update lane set epoch = lane.epoch + 1, owner = $1, claimed_at = clock_timestamp(),
                   lease_until = clock_timestamp() + make_interval(secs => $2 / 1000.0)
   from (select lane from lane where lease_until is null or lease_until < clock_timestamp()
         order by lane for update) as free
   where lane.lane = free.lane
   returning lane.lane, lane.epoch`,
)

/** Takes every lane without a holder. */
export const claimLeases = (pool: Pool, { owner, lengthMs }: Holder): Promise<Lease[]> =>
  claimFree(pool, owner, lengthMs)

const lockOwn = prepared<Lease>(
  'lease_lock',
  `select lane.lane, lane.epoch from lane join unnest($1::int[], $2::bigint[]) as held (lane, epoch)
     on lane.lane = held.lane and lane.epoch = held.epoch
   order by lane.lane for update of lane`,
)

const setUntil = prepared(
  'lease_extend',
  'update lane set lease_until = clock_timestamp() + make_interval(secs => $2 / 1000.0) where lane = any($1)',
)

const setFree = prepared('lease_release', 'update lane set lease_until = null where lane = any($1)')

/** @returns the leases still held, now extended by their full duration; the others are lost */
export const renewLeases = (
  pool: Pool,
  leases: readonly Lease[],
  { lengthMs }: Pick<Holder, 'lengthMs'>,
): Promise<Lease[]> =>
  inTransaction(pool, async (tx) => {
    const own = await lockHeld(tx, leases)
    await setUntil(tx, lanesOf(own), lengthMs)
    return own
  })

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
  `select lane.lane, case when lease_until > clock_timestamp() then owner end as holder, first.event_id is not null as waiting,
     (extract(epoch from clock_timestamp() - uuid_extract_timestamp(first.event_id)) * 1000)::bigint as oldest_ms
   from lane left join lateral
     (select event_id from outbox where outbox.lane = lane.lane order by seq limit 1) as first on true
   order by lane.lane`,
)
