import kafkajs from 'kafkajs'
import { joinOf, patchOf, requireInternal } from './patch-of.ts'
import type { JoiningGroup } from './patch-of.ts'

const requests = ['heartbeat', 'joinGroup', 'syncGroup'] as const
type Coordinating = Record<(typeof requests)[number], (request: object) => Promise<unknown>>

/** How long a member may look for its coordinator before its client crashes: longer than Kafka takes to name another. */
const patienceMs = 15_000

/**
 * kafkajs 2.2.4 sends heartbeats to the broker that coordinated the group at the last join, also when that one is gone: it
 * reconnects to the dead address for as long as it has retries; and a join that the coordinator leaves unanswered ends the
 * client, for which the group waits when a new client joins. A broker that no longer coordinates the group would answer so
 * that kafkajs looks for the coordinator and joins under the id it has: the same is done when the broker cannot answer, or
 * cannot be connected to. Does nothing on any other version.
 */
export const patchHeartbeat = patchOf(() => {
  const { prototype } = requireInternal('kafkajs/src/broker') as { prototype: Coordinating }
  for (const name of requests) {
    const original = prototype[name]
    prototype[name] = async function (this: Coordinating, request: object) {
      try {
        return await original.call(this, request)
      } catch (error) {
        throw asMoved(error)
      }
    }
  }
  patchJoin()
})

function patchJoin(): void {
  const { prototype } = requireInternal('kafkajs/src/consumer/consumerGroup') as { prototype: JoiningGroup }
  const join = joinOf(prototype)
  const failingSince = new WeakMap<object, number>()
  join.replace(async function (this: JoiningGroup) {
    try {
      await join.original.call(this)
      failingSince.delete(this)
    } catch (error) {
      const since = failingSince.get(this) ?? performance.now()
      failingSince.set(this, since)
      throw performance.now() - since > patienceMs ? error : asMoved(error)
    }
  })
}

/** What a broker answers that does not coordinate the group, if this is not already an answer. */
function asMoved(error: unknown): unknown {
  if (error instanceof kafkajs.KafkaJSProtocolError) return error
  return new kafkajs.KafkaJSProtocolError(
    Object.assign(new Error(`the group's coordinator does not answer: ${String(error)}`), {
      type: 'NOT_COORDINATOR_FOR_GROUP',
      code: 16,
      retriable: true,
    }),
  )
}
