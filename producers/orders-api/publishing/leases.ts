import { inTransaction, prepared } from '../../../infra/postgres/transaction.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'

/**
 * Who may publish a lane. A lease runs out by the database's clock unless renewed; each new holder raises the lane's
 * epoch, so that two holders in a row can be told apart. It only keeps replicas from publishing the same events twice:
 * if a frozen holder wakes up and does, readers drop the repeats by event id.
 */
export interface Lease {
  lane: number
  epoch: number
}

/** How long a lease lasts without being renewed, if nothing else is said; a holder that cannot renew it ends before that. */
export const usualLeaseMs = 1_500

/** A replica and how long its leases last without being renewed. */
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

/** Takes every lane that has no holder. */
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

/** @returns the leases that are still held and now last for their full length again; the others are lost */
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

/** Gives leases back, so that another replica need not wait for their end. */
export const releaseLeases = (pool: Pool, leases: readonly Lease[]): Promise<void> =>
  inTransaction(pool, async (tx) => {
    await setFree(tx, lanesOf(await lockHeld(tx, leases)))
  })

const lanesOf = (leases: readonly Lease[]) => leases.map(({ lane }) => lane)

/** Locks in lane order, as writers of orders do: never in a circle with them. */
const lockHeld = (tx: Tx, leases: readonly Lease[]): Promise<Lease[]> =>
  lockOwn(
    tx,
    lanesOf(leases),
    leases.map(({ epoch }) => epoch),
  )
