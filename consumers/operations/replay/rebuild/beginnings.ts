import { withAdmin } from '../../../../infra/kafka/admin.ts'
import type { EventType } from '../../../../schemas/generated/events.ts'
import { inGeneration, topicOf } from '../../../../schemas/topics.ts'
import type { ConsumerDefinition } from '../../../runtime/handler.ts'
import type { ReplayRun } from '../mode.ts'
import type { FoldContext } from './fold-lane.ts'
import type { FoldPosition } from './fold-tables.ts'

/** The topics that a group reads in a generation, without namespace. */
export const topicsOf = (
  { handlers }: Pick<ConsumerDefinition<unknown, unknown>, 'handlers'>,
  generation: number,
): string[] => [
  ...new Set((Object.keys(handlers) as EventType[]).map((type) => inGeneration(topicOf(type).name, generation))),
]

/** The first offset on the broker, for each partition of the group's topics. */
export const keptOf = ({ kafka, config, definition }: FoldContext): Promise<FoldPosition[]> =>
  withAdmin(kafka, async (admin) => {
    const ofTopic = async (topic: string) =>
      (await admin.fetchTopicOffsets(`${config.namespace}${topic}`)).map(({ partition, low }) => ({
        topic,
        partition,
        next: Number(low),
      }))
    return (await Promise.all(topicsOf(definition, config.generation).map(ofTopic))).flat()
  })

/** The first offset to fold, for each partition of the group's topics: as planned, or the first one on the broker. */
export async function beginnings(context: FoldContext, { partitions }: ReplayRun): Promise<FoldPosition[]> {
  const planned = new Map(partitions.map(({ topic, partition, from }) => [`${topic}/${partition}`, from]))
  return (await keptOf(context)).map(({ topic, partition, next }) => ({
    topic,
    partition,
    next: planned.get(`${topic}/${partition}`) ?? next,
  }))
}
