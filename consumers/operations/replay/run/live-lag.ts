import type { Admin } from 'kafkajs'
import { groupStanding } from '../reading/group-standing.ts'
import type { ReplayContext } from '../mode.ts'
import { topicsOf } from '../rebuild/beginnings.ts'

/** The lag of a replay's group over all its topics, offsets. A redelivery does not count. */
export async function liveLag(
  { config: { namespace, generation }, definition, pool }: ReplayContext,
  admin: Admin,
): Promise<number> {
  const topics = topicsOf({ handlers: definition?.handlers ?? {} }, generation)
  const ends = await Promise.all(
    topics.map(async (topic) =>
      (await admin.fetchTopicOffsets(`${namespace}${topic}`)).map(({ partition, low, high }) => ({
        topic,
        partition,
        low: Number(low),
        end: Number(high),
      })),
    ),
  )
  const places = ends.flat()
  const standing = await groupStanding(pool, places)
  return places.reduce((sum, { topic, partition, low, end }) => {
    const at = Math.max(low, standing.get(`${topic}/${partition}`) ?? low)
    return sum + Math.max(0, end - at)
  }, 0)
}
