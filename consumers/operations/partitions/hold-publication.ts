import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { releaseSeized, seizeLeases } from '../../../producers/outbox/lane-leases.ts'
import type { Writer } from '../groups.ts'

const owner = 'npm run partitions'
/** How long publication stays held if this process dies. */
const leaseSeconds = 3
const renewEveryMs = 1_000

/**
 * Pauses publication by the orders API by taking the leases of its lanes. The API still accepts orders, which wait in
 * its outbox. Leases expire, so a holder that is killed delays publication only by seconds.
 * @returns resolves when the leases are held; `release` returns them
 */
export async function holdPublication(pool: Pool, orders: Writer): Promise<{ release(): Promise<void> }> {
  const stopping = new AbortController()
  const { signal } = stopping
  await seizeLeases(pool, orders.schema, owner, leaseSeconds)
  const renewing = (async () => {
    while (!signal.aborted) {
      await delay(renewEveryMs, undefined, { signal }).catch(() => {})
      if (!signal.aborted) await seizeLeases(pool, orders.schema, owner, leaseSeconds).catch(() => {}) // Without it the drain only takes longer
    }
  })()
  return {
    async release() {
      stopping.abort()
      await renewing
      await releaseSeized(pool, orders.schema, owner).catch(() => {}) // They expire
    },
  }
}
