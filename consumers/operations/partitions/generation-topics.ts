import kafkajs from 'kafkajs'
import type { Admin, ITopicConfig, Kafka } from 'kafkajs'
import type { Config } from '../../../infra/config.ts'
import { createTopics } from '../../../infra/kafka/topics.ts'
import { TallyError } from '../../../infra/errors.ts'
import { withGeneration } from '../../../infra/topic-generations/current-config.ts'
import type { Generation } from '../../../infra/topic-generations/generation-table.ts'
import { withAdmin } from '../../../infra/kafka/admin.ts'
import { inGeneration, topicName, topics } from '../../../schemas/topics.ts'
import type { Topic } from '../../../schemas/topics.ts'
import { chooseReplication, fewestInSync } from '../../../infra/kafka/brokers/choose-replication.ts'
import type { TopicEnds } from './undrained.ts'

/**
 * Creates the topics of a generation that are missing.
 * @returns how many were
 * @throws TallyError PRECONDITION_FAILED if there are some with another partition count, or brokers are down that
 *   new topics need
 */
export function createGeneration(kafka: Kafka, config: Config, generation: Generation): Promise<number> {
  const own = withGeneration(config, generation)
  return withAdmin(kafka, async (admin) => {
    const existing = new Set(await admin.listTopics())
    const name = (topic: (typeof topics)[number]) => topicName(config.namespace, topic, generation.number)
    const missing = topics.filter((topic) => !existing.has(name(topic)))
    if (missing.length > 0) {
      const replication = await chooseReplication(admin, config)
      await createTopics(
        admin,
        missing.map((topic) => topicConfig(topic, own, replication)),
      )
    }
    const { topics: found } = await admin.fetchTopicMetadata({ topics: topics.map(name) })
    const other = found.find(({ partitions }) => partitions.length !== generation.partitions)
    if (other)
      throw new TallyError(
        'PRECONDITION_FAILED',
        `There is a topic ${other.name} with ${other.partitions.length} partitions: delete it`,
      )
    return missing.length
  })
}

/** Deletes the topics of a generation that was never written to. */
export const deleteGeneration = (kafka: Kafka, { namespace }: Config, { number }: Generation): Promise<void> =>
  withAdmin(kafka, async (admin) => {
    const existing = new Set(await admin.listTopics())
    const own = topics.map((topic) => topicName(namespace, topic, number)).filter((name) => existing.has(name))
    if (own.length > 0) await admin.deleteTopics({ topics: own })
  })

/** The end offsets of the topics of a generation, by name without namespace. */
export async function readEnds(admin: Admin, { namespace }: Config, { number }: Generation): Promise<TopicEnds> {
  const ends = topics.map(async (topic) => {
    const offsets = await admin.fetchTopicOffsets(topicName(namespace, topic, number))
    const sorted = offsets.toSorted((a, b) => a.partition - b.partition)
    return [inGeneration(topic.name, number), sorted.map(({ high }) => Number(high))] as const
  })
  return new Map(await Promise.all(ends))
}

/** Makes the broker refuse all further records for the topics of a generation. */
export const sealGeneration = (kafka: Kafka, config: Config, generation: Generation): Promise<void> =>
  withAdmin(kafka, async (admin) => {
    const own = withGeneration(config, generation)
    const replication = await replicationOf(admin, topicName(config.namespace, topics[0], generation.number))
    await admin.alterConfigs({
      validateOnly: false,
      resources: topics.map((topic) => {
        const { topic: name, configEntries = [] } = topicConfig(topic, own, replication)
        return {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name,
          configEntries: [...configEntries, { name: 'max.message.bytes', value: '0' }], // All settings: others would be lost
        }
      }),
    })
  })

/** Of a topic that exists; brokers that are down count. */
async function replicationOf(admin: Admin, topic: string): Promise<number> {
  const { topics: found } = await admin.fetchTopicMetadata({ topics: [topic] })
  return found[0]?.partitions[0]?.replicas.length ?? 1
}

/** The settings with which a topic of the configuration's generation is created. */
export const topicConfig = (topic: Topic, config: Config, replicationFactor: number): ITopicConfig => ({
  topic: topicName(config.namespace, topic, config.generation),
  numPartitions: config.partitions,
  replicationFactor,
  configEntries: [
    { name: 'retention.ms', value: String(topic.retentionMs) },
    // The broker's clock: with a publisher's clock that is a week slow, events would be deleted before they are read
    { name: 'message.timestamp.type', value: 'LogAppendTime' },
    { name: 'min.insync.replicas', value: String(fewestInSync(replicationFactor)) },
  ],
})
