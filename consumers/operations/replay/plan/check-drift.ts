import { withAdmin } from '../../../../infra/kafka/admin.ts'
import { readTopicIds } from '../../../../infra/kafka/topic-ids.ts'
import { generationOf } from '../../../../schemas/topics.ts'
import { groupStanding } from '../reading/group-standing.ts'
import type { ReplayContext } from '../mode.ts'
import type { Plan } from '../plan.ts'
import { topicsOf } from '../rebuild/beginnings.ts'

/** What has changed since a plan was made, a sentence each. */
export interface Drift {
  /** Reasons why the plan is void: a new one is needed. */
  readonly fatal: readonly string[]
  /** Statements of the plan that are outdated. */
  readonly drift: readonly string[]
}

/**
 * Compares a plan with the present state. Progress of the live group is no drift.
 * @throws TallyError UNREACHABLE
 */
export async function checkDrift(context: ReplayContext, plan: Plan): Promise<Drift> {
  const elsewhere = await otherPlace(context, plan)
  if (elsewhere.length > 0) return { fatal: elsewhere, drift: [] }
  const changed = await changedTopics(context, plan)
  if (changed.length > 0) return { fatal: changed, drift: [] }
  return {
    fatal: await goneEvents(context, plan),
    drift: [...(await groupMoved(context, plan)), ...(await schemasChanged(context, plan))],
  }
}

async function otherPlace(
  { config, kafka, definition }: ReplayContext,
  { cluster, group, topics }: Plan,
): Promise<string[]> {
  const { clusterId } = await withAdmin(kafka, (admin) => admin.describeCluster())
  const { namespace, partitions } = config
  const named = (text: string) => (text === '' ? 'without a namespace' : `for namespace ${text}`)
  return [
    ...(clusterId === cluster.id ? [] : [`the plan was made on another cluster: ${cluster.id}, this is ${clusterId}`]),
    ...(namespace === cluster.namespace
      ? []
      : [`the plan was made ${named(cluster.namespace)}, not ${named(namespace)}`]),
    ...(partitions === cluster.partitions
      ? []
      : [
          `the plan was made with ${cluster.partitions} partitions, now there are ${partitions}: keys have changed lanes`,
        ]),
    ...(group !== null && topics.some(({ topic }) => generationOf(topic) !== config.generation)
      ? ['the group has left these topics since: the partition count was changed']
      : []),
    ...(group === (definition?.group ?? null) ? [] : [`the plan is for group ${group ?? '(none)'}`]),
  ]
}

/** In a re-created topic, offsets denote other events. */
async function changedTopics({ config, kafka }: ReplayContext, { topics, partitions }: Plan): Promise<string[]> {
  const onBroker = ({ topic }: { topic: string }) => `${config.namespace}${topic}`
  const ids = await readTopicIds(kafka, topics.map(onBroker))
  const there = topics.map(onBroker).filter((name) => ids.has(name))
  const metadata = await withAdmin(kafka, (admin) => admin.fetchTopicMetadata({ topics: there }))
  const counts = new Map(metadata.topics.map(({ name, partitions: all }) => [name, all.length]))
  return topics.flatMap((planned) => {
    const { topic, topicId } = planned
    const id = ids.get(onBroker(planned))
    if (id === undefined) return [`topic ${topic} no longer exists`]
    if (topicId !== null && id !== topicId)
      return [`topic ${topic} was deleted and re-created since: its offsets denote other events now`]
    const last = Math.max(...partitions.flatMap((range) => (range.topic === topic ? range.partition : [])))
    return last < (counts.get(onBroker(planned)) ?? 0) ? [] : [`${topic}/${last} no longer exists`]
  })
}

/** Deleted events void a plan of any mode. */
async function goneEvents({ config, kafka }: ReplayContext, { topics, partitions }: Plan): Promise<string[]> {
  const extents = new Map<string, { low: number; end: number }>()
  await withAdmin(kafka, async (admin) => {
    for (const { topic } of topics)
      for (const { partition, low, high } of await admin.fetchTopicOffsets(`${config.namespace}${topic}`))
        extents.set(`${topic}/${partition}`, { low: Number(low), end: Number(high) })
  })
  return partitions.flatMap(({ topic, partition, from, to }) => {
    const place = `${topic}/${partition}`
    const { low, end } = extents.get(place) ?? { low: 0, end: 0 }
    if (from >= to) return []
    if (end < to) return [`${place} ends at offset ${end} now: it was cut off, the plan goes to ${to}`]
    if (low <= from) return []
    const gone = `offsets ${from} to ${Math.min(low, to) - 1}`
    return [
      `retention has deleted ${gone} of ${place} since the plan was made: make a new plan, and cancel replays of this one`,
    ]
  })
}

async function groupMoved(
  { pool, config, definition }: ReplayContext,
  { group, topics, partitions }: Plan,
): Promise<string[]> {
  if (!definition) return []
  const standing = await groupStanding(pool, partitions)
  const read = topicsOf(definition, config.generation)
  const dropped = plannedOf({ topics, partitions }).filter((topic) => !read.includes(topic))
  return [
    ...dropped.map((topic) => `${group} no longer reads ${topic}`),
    ...partitions.flatMap(({ topic, partition, position }) => {
      const place = `${topic}/${partition}`
      const now = standing.get(place)
      if (position === null || (now !== undefined && now >= position)) return []
      return [`${group} stood at offset ${position} of ${place}, now it is back at ${now ?? 'its beginning'}`]
    }),
  ]
}

/** Topics that the group had begun to read. */
const plannedOf = ({ topics, partitions }: Pick<Plan, 'topics' | 'partitions'>): string[] =>
  topics.flatMap(({ topic }) =>
    partitions.some((range) => range.topic === topic && range.position !== null) ? topic : [],
  )

async function schemasChanged({ codec }: ReplayContext, { schemas }: Plan): Promise<string[]> {
  const readable = schemas.filter(({ unreadable }) => unreadable === null)
  await codec.learn(readable.map(({ id }) => id))
  return readable.flatMap(({ id, records }) => {
    const why = codec.whyUnreadable(id)
    return why === undefined ? [] : [`schema ${id} of ${records} events could be read, now it cannot: ${why}`]
  })
}
