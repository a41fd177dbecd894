import { patchOf, requireInternal } from './patch-of.ts'

interface Group {
  readonly generationId: number
  readonly sessionTimeout: number
  maxWaitTime: number
  fetch(nodeId: number): Promise<{ isEmpty(): boolean }[]>
}

interface Quiet {
  since: number
  generation: number
  readonly usualMs: number
}

/** A member is idle if nothing was fetched, and the group did not change, for this time, ms. */
const idleAfterMs = 5_000
const longestMs = 500

/**
 * How long an idle member lets the broker wait for records. It hears of a rebalance and of a resumed lane only between
 * two fetches, so this is at most a twelfth of its session. Records end the wait at once.
 */
export const idleWaitMs = (sessionTimeoutMs: number): number => Math.min(longestMs, Math.floor(sessionTimeoutMs / 12))

/**
 * kafkajs 2.2.4 always waits equally long for records, and heartbeats after each wait. A wait that is short enough for
 * rebalances costs an idle broker more than everything else it does. Here the wait of an idle member grows. Does nothing
 * on any other version.
 */
export const patchIdleFetch = patchOf(() => {
  const { prototype } = requireInternal('kafkajs/src/consumer/consumerGroup') as { prototype: Group }
  const original = prototype.fetch
  const groups = new WeakMap<Group, Quiet>()
  prototype.fetch = async function (this: Group, nodeId: number) {
    const known = groups.get(this)
    const quiet = known ?? { since: performance.now(), generation: this.generationId, usualMs: this.maxWaitTime }
    if (!known) groups.set(this, quiet)
    if (quiet.generation !== this.generationId) {
      quiet.generation = this.generationId
      quiet.since = performance.now()
    }
    const idle = performance.now() - quiet.since > idleAfterMs
    this.maxWaitTime = idle ? Math.max(quiet.usualMs, idleWaitMs(this.sessionTimeout)) : quiet.usualMs
    const batches = await original.call(this, nodeId)
    if (batches.some((batch) => !batch.isEmpty())) quiet.since = performance.now()
    return batches
  }
})
