import { setTimeout as delay } from 'node:timers/promises'
import { describeError } from '../../../infra/errors.ts'
import type { Notices } from '../../../infra/notices/notices.ts'
import { Polling } from '../../../infra/notices/polling.ts'
import { sendNotice } from '../../../infra/notices/send-notice.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { seldom } from '../../../infra/linger/seldom.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { LaneFeed } from '../../outbox/lane-feed.ts'
import type { OutboxBatch } from '../../outbox/outbox-batch.ts'
import type { Relay } from '../../outbox/relay.ts'
import { readNextSeqs } from '../../outbox/lane-table.ts'
import { keepLeases, releaseLeases, usualLeaseMs } from '../../outbox/lane-leases.ts'
import type { Lease } from '../../outbox/lane-leases.ts'

export interface PublishingOptions {
  pool: Pool
  relay: Pick<Relay, 'open'>
  /** Name of this replica. */
  owner: string
  /** Approximate pause of the lanes of a dead replica, ms. @default 1500 */
  leaseMs?: number
  /** What other replicas commit. */
  notices: Notices
  /** Time between two looks for the events of other replicas at least, ms; without notices, the interval. @default 100 */
  pollMs?: number
  log: Logger
}

/** How often an outage is told of. */
const saidEveryMs = 10_000

interface Held extends Lease {
  /** Closed while it is uncertain whether this replica still has the lease. */
  feed: LaneFeed
  /** The number of the next event of the lane, as far as this process knows. */
  nextSeq: number
}

/**
 * Publishes the lanes that this replica has leases of, whichever replica wrote the events: its own at once, those of others
 * after a notice from the writer. Each renewal of the leases finds events of which no notice came. A dead replica is
 * replaced when its leases expire.
 */
export class Publishing {
  private readonly options: Required<PublishingOptions>
  private readonly held = new Map<number, Held>()
  private readonly abort = new AbortController()
  private readonly loops: Promise<unknown>
  private expiry: NodeJS.Timeout | undefined
  /** Whether there were events since the leases were renewed. */
  private busy = true

  constructor(options: PublishingOptions) {
    const { leaseMs = usualLeaseMs, pollMs = 100, notices } = options
    this.options = { ...options, leaseMs, pollMs }
    const polling = new Polling({ leastMs: pollMs, soonMs: pollMs, seldomMs: leaseMs, notices })
    this.loops = Promise.all([this.keepRenewing(), polling.run(() => this.poll(), this.abort.signal)])
  }

  /** Events that this process just committed, in order per lane. Those of other lanes are left to their holders. */
  offer(batches: readonly OutboxBatch[]): void {
    this.busy = true
    let others = false
    for (const [lane, own] of Map.groupBy(batches, (batch) => batch.lane)) {
      const held = this.held.get(lane)
      others ||= !held
      if (!held) continue
      held.feed.offer(own)
      held.nextSeq = Math.max(held.nextSeq, (own.at(-1)?.last ?? 0) + 1)
    }
    // Without this notice they are found when the leases are renewed
    if (others) void sendNotice(this.options.pool)
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

  /** @returns time until a lease of another replica may expire, ms */
  private async renew(): Promise<number> {
    const { pool, owner, leaseMs, relay, log } = this.options
    const asked = performance.now()
    this.busy = false
    const holder = { owner, lengthMs: leaseMs }
    const { kept, claimed, nextSeqs, freeInMs } = await keepLeases(pool, [...this.held.values()], holder)
    const before = new Map(this.held)
    this.held.clear()
    for (const lease of [...kept, ...claimed]) {
      const known = before.get(lease.lane)
      const usable = known?.epoch === lease.epoch && !known.feed.closed
      this.held.set(lease.lane, usable ? known : { ...lease, feed: relay.open(lease.lane), nextSeq: 0 })
    }
    for (const [lane, { feed }] of before) if (this.held.get(lane)?.feed !== feed) feed.close()
    this.advance(nextSeqs)
    if (claimed.length > 0 || kept.length < before.size) log.info({ lanes: this.lanes }, 'publishing these lanes')
    // Without an answer from the database by then, another replica may soon publish
    clearTimeout(this.expiry)
    this.expiry = setTimeout(() => this.suspend(), asked + leaseMs * 0.8 - performance.now())
    return freeInMs
  }

  private suspend(): void {
    clearTimeout(this.expiry)
    for (const { feed } of this.held.values()) feed.close()
  }

  /** @returns undefined: nothing is known of what comes next */
  private async poll(): Promise<undefined> {
    const { lanes } = this
    const { pool, log } = this.options
    if (lanes.length === 0) return
    await readNextSeqs(pool, lanes).then(
      (nextSeqs) => this.advance(nextSeqs),
      (error: unknown) => log.warn({ error: describeError(error) }, 'could not poll the outbox'),
    )
  }

  /** Publishes what other replicas have written. */
  private advance(nextSeqs: ReadonlyMap<number, number>): void {
    for (const [lane, nextSeq] of nextSeqs) {
      const held = this.held.get(lane)
      if (!held || nextSeq <= held.nextSeq) continue
      this.busy = true
      held.nextSeq = nextSeq
      held.feed.poke()
    }
  }

  /** Renews early while there are events, so that a late answer costs no pause; and when a lane may become free. */
  private async keepRenewing(): Promise<void> {
    const { signal } = this.abort
    const { leaseMs, log } = this.options
    const isDue = seldom(saidEveryMs)
    while (!signal.aborted) {
      const freeInMs = await this.renew().catch((error: unknown) => {
        if (isDue()) log.warn({ error: describeError(error) }, 'could not renew leases')
        return 0
      })
      const ms = Math.max(leaseMs / 8, Math.min(leaseMs / (this.busy ? 4 : 2), freeInMs + 5))
      await delay(ms, undefined, { signal }).catch(() => {})
    }
  }
}
