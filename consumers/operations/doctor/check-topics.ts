import kafkajs from 'kafkajs'
import type { Admin, Kafka } from 'kafkajs'
import { rememberedMs } from '../../runtime/tables/inbox/weeks.ts'
import type { Config } from '../../../infra/config.ts'
import { existingTopics } from '../../../infra/kafka/reading/existing-topics.ts'
import { topicName, topics } from '../../../schemas/topics.ts'
import type { Finding } from '../../../infra/doctor/finding.ts'

/** A topic as the broker describes it; settings by name. */
export interface FoundTopic {
  readonly name: string
  readonly partitions: readonly { readonly replicas: readonly number[]; readonly isr: readonly number[] }[]
  readonly settings: ReadonlyMap<string, string>
}

/** What a service expects of its topics. */
export interface Expected {
  readonly partitions: number
  /** Copies that the cluster has room for. */
  readonly copies: number
}

/** The relay sends batches of up to this size, bytes. */
const batchBytes = 1_000_000
const dayMs = 24 * 3_600_000

/** Compares a topic with what the code relies on. Pure. */
export function judgeTopic(
  { name, partitions, settings }: FoundTopic,
  { partitions: count, copies }: Expected,
): Finding[] {
  const found: Finding[] = []
  const tell = (problem: string, cure: string) => found.push({ area: 'topics', problem: `${name}: ${problem}`, cure })
  const set = (setting: string, value: string | number) => `Set ${setting}=${value} for ${name}`
  if (partitions.length !== count)
    tell(`${partitions.length} partitions, not ${count}`, 'Change the number with `npm run partitions` only')
  const replicas = Math.min(...partitions.map((partition) => partition.replicas.length))
  if (replicas < copies)
    tell(`${replicas} copies on a cluster with room for ${copies}`, `Reassign ${name} with ${copies} replicas`)
  const lagging = partitions.filter((partition) => partition.isr.length < partition.replicas.length).length
  if (lagging > 0)
    tell(`${lagging} partitions lack an in-sync copy`, 'Start the broker that is down, or wait until it has caught up')
  const least = Number(settings.get('min.insync.replicas') ?? 1)
  const most = Math.max(1, replicas - 1)
  if (least > most) tell(`min.insync.replicas is ${least}: no broker may fail`, set('min.insync.replicas', most))
  if (least < Math.min(2, most))
    tell(
      `min.insync.replicas is ${least}: acknowledged events may be lost with one broker`,
      set('min.insync.replicas', most),
    )
  const retentionMs = Number(settings.get('retention.ms') ?? 0)
  if (retentionMs < 0 || retentionMs > rememberedMs)
    tell(
      `it keeps events longer than the inbox knows their ids (${rememberedMs / dayMs} days)`,
      set('retention.ms', rememberedMs - 2 * 7 * dayMs),
    )
  else if (retentionMs < dayMs)
    tell(
      `it keeps events for less than a day: a lane that stops for a night loses them`,
      set('retention.ms', 7 * dayMs),
    )
  if (settings.get('cleanup.policy')?.includes('compact'))
    tell('compaction deletes all but the last event of an order', set('cleanup.policy', 'delete'))
  if (settings.get('message.timestamp.type') === 'CreateTime')
    tell(
      'records are dated by their producers: one with an old date may be deleted before it is read',
      set('message.timestamp.type', 'LogAppendTime'),
    )
  if (Number(settings.get('max.message.bytes') ?? batchBytes) < batchBytes)
    tell(`it refuses batches of ${batchBytes.toLocaleString('en')} bytes`, set('max.message.bytes', 1_048_588))
  return found
}

/** Reads the topics of the current generation and judges each. @param copies that the cluster has room for */
export async function checkTopics(kafka: Kafka, admin: Admin, config: Config, copies: number): Promise<Finding[]> {
  const names = topics.map((topic) => topicName(config.namespace, topic, config.generation))
  const there = await existingTopics(kafka, admin, names)
  const missing = names.filter((name) => !there.has(name))
  const present = names.filter((name) => there.has(name))
  const lost: Finding[] = missing.map((name) => ({
    ...{ area: 'topics', problem: `${name} does not exist` },
    cure: 'Create it: `npm run deploy -- topics`',
  }))
  if (present.length === 0) return lost
  const [metadata, { resources }] = await Promise.all([
    admin.fetchTopicMetadata({ topics: present }),
    admin.describeConfigs({
      includeSynonyms: false,
      resources: present.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
    }),
  ])
  const settingsOf = new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  )
  const judged = metadata.topics.flatMap(({ name, partitions }) =>
    judgeTopic(
      { name, partitions, settings: settingsOf.get(name) ?? new Map() },
      { partitions: config.partitions, copies },
    ),
  )
  return [...lost, ...judged]
}
