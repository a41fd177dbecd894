import type { Consumer } from 'kafkajs'
import { patchOf, requireInternal } from './patch-of.ts'

interface Connection {
  readonly requestQueue: { readonly inflight: ReadonlyMap<number, unknown> }
  rejectRequests(error: Error): void
  disconnect(): Promise<unknown>
}

interface Group {
  readonly generationId: number
  readonly sessionTimeout: number
  readonly subscriptionState: { assigned(): { partitions: number[] }[] }
  /** By topic; undefined before the first join. */
  readonly partitionsPerSubscribedTopic: ReadonlyMap<string, readonly number[]> | undefined
  readonly cluster: {
    findBroker(node: { nodeId: number }): Promise<{ connectionPool: { pool: readonly Connection[] } }>
  }
  maxWaitTime: number
  fetch(nodeId: number): Promise<Fetched[]>
  heartbeat(options: { interval: number }): Promise<void>
  resume(partitions: unknown): void
}

interface Fetched {
  isEmpty(): boolean
}

interface Quiet {
  since: number
  generation: number
  readonly usualMs: number
  /** End the waits for records in progress. */
  readonly waits: Set<() => void>
}

interface Runner {
  readonly consumerGroup: Group
  stop(): Promise<void>
}

/** kafkajs fetches over a connection of its own. */
const fetchConnection = 1

/** A member is idle if nothing was fetched, and the group did not change, for this time, ms. */
const idleAfterMs = 5_000
const longestMs = 1_000

/** How long an idle member lets the broker wait for records, at most a sixth of its session. Records end the wait at once. */
export const idleWaitMs = (sessionTimeoutMs: number): number => Math.min(longestMs, Math.floor(sessionTimeoutMs / 6))

/** How often a member heartbeats: it learns of a rebalance that way, and all members wait for the last one to learn of it. */
export const heartbeatEveryMs = (sessionTimeoutMs: number): number => Math.max(100, Math.round(sessionTimeoutMs / 60))

/** The same while it is idle and holds every partition: there is nothing that it could take over. */
export const heartbeatAloneEveryMs = (sessionTimeoutMs: number): number =>
  Math.min(500, Math.floor(sessionTimeoutMs / 12))

/**
 * kafkajs 2.2.4 always waits equally long for records, and heartbeats after each wait. A wait that is short enough for
 * rebalances costs an idle broker more than everything else it does. Here the wait of an idle member grows, and heartbeats
 * are sent meanwhile. A rebalance, a resumed partition (`attend`: none) or the end of the member ends the wait. Does nothing
 * on any other version.
 */
export const patchIdleFetch = patchOf(() => {
  const { prototype } = requireInternal('kafkajs/src/consumer/consumerGroup') as { prototype: Group }
  const { fetch, resume } = prototype
  const groups = new WeakMap<Group, Quiet>()
  const end = (group: Group) => {
    for (const endWait of groups.get(group)?.waits ?? []) endWait()
  }
  prototype.fetch = async function (this: Group, nodeId: number) {
    const quiet = groups.get(this) ?? beginQuiet(this)
    groups.set(this, quiet)
    if (quiet.generation !== this.generationId) {
      quiet.generation = this.generationId
      quiet.since = performance.now()
    }
    const idle = performance.now() - quiet.since > idleAfterMs
    this.maxWaitTime = idle ? Math.max(quiet.usualMs, idleWaitMs(this.sessionTimeout)) : quiet.usualMs
    const answer = fetch.call(this, nodeId)
    const batches = await (idle ? waitIdly(this, nodeId, quiet, answer) : answer)
    if (batches.some((batch) => !batch.isEmpty())) quiet.since = performance.now()
    return batches
  }
  prototype.resume = function (this: Group, partitions: unknown) {
    resume.call(this, partitions)
    const quiet = groups.get(this)
    if (quiet) quiet.since = performance.now()
    end(this)
  }
  const runner = (requireInternal('kafkajs/src/consumer/runner') as { prototype: Runner }).prototype
  const { stop } = runner
  runner.stop = function (this: Runner) {
    const stopped = stop.call(this)
    end(this.consumerGroup)
    return stopped
  }
})

/** Makes an idle member fetch and heartbeat often for a while: the group may be about to change. */
export const attend = (consumer: Pick<Consumer, 'resume'>): void => consumer.resume([])

const beginQuiet = ({ generationId, maxWaitTime }: Group): Quiet => ({
  since: performance.now(),
  generation: generationId,
  usualMs: maxWaitTime,
  waits: new Set(),
})

/**
 * Heartbeats until the broker answers.
 * @returns nothing if the wait was ended
 * @throws what a heartbeat throws, as after a wait of kafkajs
 */
async function waitIdly(group: Group, nodeId: number, quiet: Quiet, answer: Promise<Fetched[]>): Promise<Fetched[]> {
  const everyMs = (holdsAll(group) ? heartbeatAloneEveryMs : heartbeatEveryMs)(group.sessionTimeout)
  let over = false
  let timer: NodeJS.Timeout | undefined
  let endWait = () => {}
  const ended = new Promise<Fetched[]>((resolve) => (endWait = () => resolve([])))
  quiet.waits.add(endWait)
  const failed = new Promise<never>((_, reject) => {
    const beat = () => {
      group
        .heartbeat({ interval: everyMs / 2 })
        .then(rest)
        .catch(reject)
    }
    const rest = () => {
      if (!over) timer = setTimeout(beat, everyMs)
    }
    rest()
  })
  let answered = false
  const records = answer.finally(() => (answered = true))
  try {
    return await Promise.race([records, ended, failed])
  } finally {
    over = true
    clearTimeout(timer)
    quiet.waits.delete(endWait)
    if (!answered) await giveUp(group, nodeId, records).catch(() => {}) // The broker is gone
  }
}

function holdsAll({ subscriptionState, partitionsPerSubscribedTopic }: Group): boolean {
  const own = subscriptionState.assigned().reduce((sum, { partitions }) => sum + partitions.length, 0)
  const all = [...(partitionsPerSubscribedTopic?.values() ?? [])].reduce((sum, { length }) => sum + length, 0)
  return own === all
}

/** Closes the connection: the broker answers one request after the other, so the next fetch would wait for this one. */
async function giveUp({ cluster }: Group, nodeId: number, answer: Promise<unknown>): Promise<void> {
  answer.catch(() => {})
  const { connectionPool } = await cluster.findBroker({ nodeId })
  const connection = connectionPool.pool[fetchConnection]
  if (!connection || connection.requestQueue.inflight.size === 0) return
  connection.rejectRequests(new Error('the wait for records was ended'))
  await connection.disconnect()
}
