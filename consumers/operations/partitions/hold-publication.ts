import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Writer } from '../groups.ts'

const owner = 'npm run partitions'
/** How long orders wait if whoever holds them back has died. */
const leaseSeconds = 3
const renewEveryMs = 1_000

/**
 * Holds back what the orders API publishes, by having its lanes' leases: it goes on accepting orders, which wait in its
 * outbox. Leases run out by themselves, so a holder that is killed holds up nobody for long.
 * @returns resolves when the leases are held; `release` gives them back
 */
export async function holdPublication(pool: Pool, orders: Writer): Promise<{ release(): Promise<void> }> {
  const stopping = new AbortController()
  const { signal } = stopping
  await take(pool, orders)
  const renewing = (async () => {
    while (!signal.aborted) {
      await delay(renewEveryMs, undefined, { signal }).catch(() => {})
      if (!signal.aborted) await take(pool, orders).catch(() => {}) // The switch does not rely on it, only the drain would last
    }
  })()
  return {
    async release() {
      stopping.abort()
      await renewing
      await setFree(pool, orders).catch(() => {}) // They run out by themselves
    },
  }
}

// Both lock the rows by number, as whoever orders does

const setFree = (pool: Pool, { schema }: Writer): Promise<unknown> =>
  pool.query(
    `update ${schema}.lane set lease_until = null
     from (select lane from ${schema}.lane where owner = $1 order by lane for update) as held where lane.lane = held.lane`,
    [owner],
  )

/** From whoever has them. */
const take = (pool: Pool, { schema }: Writer): Promise<unknown> =>
  pool.query(
    `update ${schema}.lane set owner = $1, epoch = epoch + (owner is distinct from $1)::int, claimed_at = clock_timestamp(),
       lease_until = clock_timestamp() + $2 * interval '1 second'
     from (select lane from ${schema}.lane order by lane for update) as held where lane.lane = held.lane`,
    [owner, leaseSeconds],
  )
