import { setTimeout as delay } from 'node:timers/promises'
import { describeError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { LaneFeed } from '../../outbox/lane-feed.ts'
import type { OutboxRow } from '../../outbox/outbox-table.ts'
import type { Relay } from '../../outbox/relay.ts'
import { readNextSeqs } from '../../outbox/lane-table.ts'
import { claimLeases, releaseLeases, renewLeases, usualLeaseMs } from '../../outbox/lane-leases.ts'
import type { Lease } from '../../outbox/lane-leases.ts'

export interface PublishingOptions {
  pool: Pool
  relay: Pick<Relay, 'open'>
  /** Name of this replica. */
  owner: string
  /** Approximate pause of the lanes of a dead replica, ms. @default 1500 */
  leaseMs?: number
  /** Poll interval for the events of other replicas, ms. @default 100 */
  pollMs?: number
  log: Logger
}

interface Held extends Lease {
  /** Closed while it is uncertain whether this replica still has the lease. */
  feed: LaneFeed
  /** The number of the next event of the lane, as far as this process knows. */
  nextSeq: number
}

/**
 * Publishes the lanes that this replica has leases of, whichever replica wrote the events: its own at once, those of others
 * after a short poll interval. A dead replica is replaced when its leases expire.
 */
export class Publishing {
  private readonly options: Required<PublishingOptions>
  private readonly held = new Map<number, Held>()
  private readonly abort = new AbortController()
  private readonly loops: Promise<unknown>
  private expiry: NodeJS.Timeout | undefined

  constructor(options: PublishingOptions) {
    const { leaseMs = usualLeaseMs, pollMs = 100 } = options
    this.options = { ...options, leaseMs, pollMs }
    this.loops = Promise.all([
      this.every(leaseMs / 4, 'could not renew leases', () => this.renew()),
      this.every(pollMs, 'could not poll the outbox', () => this.poll()),
    ])
  }

  /** Events that this process just committed, in order per lane. Those of other lanes are left to their holders. */
  offer(rows: readonly OutboxRow[]): void {
    for (const [lane, own] of Map.groupBy(rows, (row) => row.lane)) {
      const held = this.held.get(lane)
      if (!held) continue
      held.feed.offer(own)
      held.nextSeq = Math.max(held.nextSeq, (own.at(-1)?.seq ?? 0) + 1)
    }
  }

  /** The lanes that this replica publishes, ascending. */
  get lanes(): number[] {
    return [...this.held].flatMap(([lane, { feed }]) => (feed.closed ? [] : [lane])).sort((a, b) => a - b)
  }

  /** Stops publishing and releases the leases. Unpublished events stay in the outbox for the next holder. */
  async stop(): Promise<void> {
    this.abort.abort()
    await this.loops
    this.suspend()
    await releaseLeases(this.options.pool, [...this.held.values()]).catch((error: unknown) =>
      this.options.log.warn({ error: describeError(error) }, 'could not release leases: they will expire'),
    )
  }

  private async renew(): Promise<void> {
    const { pool, owner, leaseMs, relay, log } = this.options
    const asked = performance.now()
    const kept = await renewLeases(pool, [...this.held.values()], { lengthMs: leaseMs })
    const claimed = await claimLeases(pool, { owner, lengthMs: leaseMs })
    const before = new Map(this.held)
    this.held.clear()
    for (const lease of [...kept, ...claimed]) {
      const known = before.get(lease.lane)
      const usable = known?.epoch === lease.epoch && !known.feed.closed
      this.held.set(lease.lane, usable ? known : { ...lease, feed: relay.open(lease.lane), nextSeq: 0 })
    }
    for (const [lane, { feed }] of before) if (this.held.get(lane)?.feed !== feed) feed.close()
    if (claimed.length > 0 || kept.length < before.size) log.info({ lanes: this.lanes }, 'publishing these lanes')
    // Without an answer from the database by then, another replica may soon publish
    clearTimeout(this.expiry)
    this.expiry = setTimeout(() => this.suspend(), asked + leaseMs * 0.8 - performance.now())
  }

  private suspend(): void {
    clearTimeout(this.expiry)
    for (const { feed } of this.held.values()) feed.close()
  }

  private async poll(): Promise<void> {
    const { lanes } = this
    if (lanes.length === 0) return
    for (const [lane, nextSeq] of await readNextSeqs(this.options.pool, lanes)) {
      const held = this.held.get(lane)
      if (!held || nextSeq <= held.nextSeq) continue
      held.nextSeq = nextSeq
      held.feed.poke()
    }
  }

  private async every(ms: number, failure: string, work: () => Promise<void>): Promise<void> {
    const { signal } = this.abort
    while (!signal.aborted) {
      await work().catch((error: unknown) => this.options.log.warn({ error: describeError(error) }, failure))
      await delay(ms, undefined, { signal }).catch(() => {})
    }
  }
}
