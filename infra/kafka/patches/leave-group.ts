import { joinOf, patchOf, requireInternal } from './patch-of.ts'
import type { JoiningGroup } from './patch-of.ts'

interface Group extends JoiningGroup {
  joinAndSync(): Promise<void>
}

interface Runner {
  readonly consumerGroup: Group
  stop(): Promise<void>
}

/**
 * kafkajs 2.2.4 forgets to stop a consumer that is told to end while it joins its group for the first time: it reconnects,
 * joins, and heartbeats for as long as the process lives, and the group assigns partitions to it that nobody reads. Here such
 * a consumer starts no further attempt, and leaves when the attempt in progress has ended. Does nothing on any other version.
 */
export const patchLeaveGroup = patchOf(() => {
  const { prototype } = requireInternal('kafkajs/src/consumer/consumerGroup') as { prototype: Group }
  const join = joinOf(prototype)
  const { joinAndSync } = prototype
  const joining = new WeakMap<Group, Promise<void>>()
  const leaving = new WeakSet<Group>()
  prototype.joinAndSync = function (this: Group) {
    const joined = joinAndSync.call(this)
    joining.set(this, joined)
    return joined
  }
  join.replace(async function (this: Group) {
    if (leaving.has(this)) throw new Error('the member is leaving')
    await join.original.call(this)
  })
  const runner = (requireInternal('kafkajs/src/consumer/runner') as { prototype: Runner }).prototype
  const { stop } = runner
  runner.stop = async function (this: Runner) {
    leaving.add(this.consumerGroup)
    // Then it runs, and stops as any other: the client continues before this does, because it began to wait first
    await joining.get(this.consumerGroup)?.catch(() => {})
    await stop.call(this)
  }
})
