import type { Admin, Kafka } from 'kafkajs'
import type { Config } from '../../../infra/config.ts'
import { createKafka } from '../../../infra/kafka/client.ts'
import { readOpenTransactions } from '../../../infra/kafka/reading/open-transactions.ts'
import type { OpenTransaction } from '../../../infra/kafka/reading/open-transactions.ts'
import { withAdmin } from '../../../infra/kafka/admin.ts'
import { existingTopics } from '../../../infra/kafka/reading/existing-topics.ts'
import { commandLogger } from '../../../infra/kafka/command-client.ts'
import { answerWithin, patienceMs } from './answer-within.ts'

/** The extent of one partition on the broker. */
export interface Extent {
  readonly low: number
  /** The last stable offset: consumers read up to it. */
  readonly end: number
  /** Ends it before the high watermark. Only `addOpenTransactions` looks for it. */
  readonly open?: OpenTransaction
  /** First offset not older than each of `ages`; requested only for partitions with lag. */
  readonly notOlder?: readonly number[]
}

/** By topic, without namespace, and partition. A topic that does not exist is missing. */
export type TopicEnds = ReadonlyMap<string, ReadonlyMap<number, Extent>>

/** Steps in which waiting times are reported, milliseconds; the broker can look them up without reading records. */
export const ages = [10_000, 60_000, 600_000, 3_600_000, 86_400_000] as const

/**
 * Reads the current ends of the topics.
 * @param isBehind whether a group has lag on a partition
 * @throws TallyError UNREACHABLE; errors of kafkajs
 */
export function readTopicEnds(
  config: Config,
  topics: readonly string[],
  isBehind: (topic: string, partition: number, end: number) => boolean,
): Promise<TopicEnds> {
  const kafka = connect(config)
  const ends = withAdmin(kafka, async (admin) => {
    const names = topics.map((topic) => `${config.namespace}${topic}`)
    const existing = await existingTopics(kafka, admin, names)
    const found = topics.filter((topic) => existing.has(`${config.namespace}${topic}`))
    return new Map(
      await Promise.all(
        found.map(async (topic) => [topic, await readExtents(admin, config.namespace, topic, isBehind)] as const),
      ),
    )
  })
  return answerWithin(nameOf(config), ends)
}

/**
 * The same ends, and the open transaction that ends a partition.
 * @throws TallyError UNREACHABLE; errors of kafkajs
 */
export const addOpenTransactions = (config: Config, ends: TopicEnds): Promise<TopicEnds> =>
  answerWithin(nameOf(config), withTransactions(connect(config), config, ends))

const nameOf = ({ kafka }: Config): string => `Kafka at ${kafka.brokers.join(', ')}`

const connect = (config: Config): Kafka =>
  createKafka({
    servers: config.kafka,
    clientId: 'tally-lanes',
    log: commandLogger('lanes', config),
    requestTimeoutMs: patienceMs,
    retry: { retries: 0 },
  })

async function withTransactions(kafka: Kafka, { namespace }: Config, ends: TopicEnds): Promise<TopicEnds> {
  const places = [...ends].flatMap(([topic, partitions]) =>
    [...partitions.keys()].map((partition) => ({ topic: `${namespace}${topic}`, partition })),
  )
  const open = new Map(
    (await readOpenTransactions(kafka, places)).map((each) => [`${each.topic}/${each.partition}`, each]),
  )
  return new Map(
    [...ends].map(([topic, partitions]) => [
      topic,
      new Map(
        [...partitions].map(([partition, extent]) => {
          const found = open.get(`${namespace}${topic}/${partition}`)
          return [partition, found ? { ...extent, open: { ...found, topic } } : extent]
        }),
      ),
    ]),
  )
}

async function readExtents(
  admin: Admin,
  namespace: string,
  topic: string,
  isBehind: (topic: string, partition: number, end: number) => boolean,
): Promise<Map<number, Extent>> {
  const name = `${namespace}${topic}`
  const now = Date.now()
  const offsets = await admin.fetchTopicOffsets(name)
  const behind = offsets.some(({ partition, high }) => isBehind(topic, partition, Number(high)))
  const older = behind ? await Promise.all(ages.map((age) => admin.fetchTopicOffsetsByTimestamp(name, now - age))) : []
  const notOlder = older.map((found) => new Map(found.map(({ partition, offset }) => [partition, Number(offset)])))
  return new Map(
    offsets.map(({ partition, low, high }) => [
      partition,
      {
        low: Number(low),
        end: Number(high),
        notOlder: behind ? notOlder.map((found) => found.get(partition) ?? 0) : undefined,
      },
    ]),
  )
}
