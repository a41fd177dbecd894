import { withAdmin } from '../../../../infra/kafka/client.ts'
import type { EventType } from '../../../../schemas/generated/events.ts'
import { inGeneration, topicOf } from '../../../../schemas/topics.ts'
import type { ConsumerDefinition } from '../../../runtime/handler.ts'
import type { ReplayRun } from '../mode.ts'
import type { FoldContext } from './fold-lane.ts'
import type { FoldPosition } from './fold-tables.ts'

/** Topics a group reads in a generation of them, without namespace. */
export const topicsOf = (
  { handlers }: Pick<ConsumerDefinition<unknown, unknown>, 'handlers'>,
  generation: number,
): string[] => [
  ...new Set((Object.keys(handlers) as EventType[]).map((type) => inGeneration(topicOf(type).name, generation))),
]

/** The first offset kept of each partition of the topics a group reads. */
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

/** Where each partition of the group's topics begins: as planned; what the plan left out, at the first offset kept. */
export async function beginnings(context: FoldContext, { partitions }: ReplayRun): Promise<FoldPosition[]> {
  const planned = new Map(partitions.map(({ topic, partition, from }) => [`${topic}/${partition}`, from]))
  return (await keptOf(context)).map(({ topic, partition, next }) => ({
    topic,
    partition,
    next: planned.get(`${topic}/${partition}`) ?? next,
  }))
}
