import { createRequire } from 'node:module'
import type { Batch, Kafka } from 'kafkajs'
import { TallyError } from '../../errors.ts'
import { connecting } from '../admin.ts'
import { clusterOf } from '../cluster.ts'
import type { Cluster } from '../cluster.ts'

/** One partition; `topic` is the name on the broker. */
export interface PartitionOf {
  readonly topic: string
  readonly partition: number
}

/** A request for one partition. */
export interface FetchRequest extends PartitionOf {
  readonly offset: number
}

/** The error of kafkajs for the first such partition of an answer. */
export interface OutOfRange {
  readonly name: 'KafkaJSOffsetOutOfRange'
  readonly topic: string
  readonly partition: number
}

/** The batch class of kafkajs, which filters control records and aborted ones; it has no types. */
const FetchedBatch = createRequire(import.meta.url)('kafkajs/src/consumer/batch.js') as new (
  topic: string,
  fetchedOffset: string,
  data: object,
) => Batch & { isEmptyIncludingFiltered(): boolean; rawMessages: readonly unknown[] }
export type FetchedBatch = InstanceType<typeof FetchedBatch>

/** Up to the last stable offset, where the first open transaction begins; or up to the high watermark. */
export type Isolation = 'committed' | 'uncommitted'
const isolationLevels = { committed: 1, uncommitted: 0 }
const latest = '-1'

/**
 * Fetches from partitions without a group. The public API of kafkajs reads in groups only; its cluster can do
 * without.
 */
export class FetchClient {
  private readonly cluster: Cluster

  constructor(kafka: Kafka) {
    this.cluster = clusterOf(kafka)
  }

  async connect(topics: readonly string[]): Promise<void> {
    await connecting(this.cluster.connect())
    await this.cluster.addMultipleTargetTopics(topics)
  }

  /** After an error: partitions may have new leaders. */
  async refresh(): Promise<void> {
    await this.cluster.refreshMetadata()
  }

  disconnect(): Promise<void> {
    return this.cluster.disconnect()
  }

  /** One request to each broker that leads any of the partitions. @throws kafkajs errors, OutOfRange among them */
  async fetch(
    requests: readonly FetchRequest[],
    maxBytesPerPartition: number,
    isolation: Isolation = 'committed',
  ): Promise<FetchedBatch[]> {
    const answers = [...this.byLeader(requests)].map(async ([nodeId, ofBroker]) => {
      const broker = await this.cluster.findBroker({ nodeId })
      const topics = [...Map.groupBy(ofBroker, ({ topic }) => topic)].map(([topic, each]) => ({
        topic,
        partitions: each.map(({ partition, offset }) => ({
          partition,
          fetchOffset: String(offset),
          maxBytes: maxBytesPerPartition,
        })),
      }))
      const { responses } = await broker.fetch({
        maxWaitTime: 500,
        isolationLevel: isolationLevels[isolation],
        topics,
      })
      return responses.flatMap(({ topicName, partitions }) =>
        partitions.map((found) => {
          const asked = ofBroker.find((each) => each.topic === topicName && each.partition === found.partition)
          return new FetchedBatch(topicName, String(asked?.offset ?? 0), found)
        }),
      )
    })
    return (await Promise.all(answers)).flat()
  }

  /** The end of each partition, by place as in `orders/3`. @throws kafkajs errors */
  async ends(places: readonly PartitionOf[], isolation: Isolation): Promise<Map<string, number>> {
    const answers = [...this.byLeader(places)].map(async ([nodeId, ofBroker]) => {
      const broker = await this.cluster.findBroker({ nodeId })
      const topics = [...Map.groupBy(ofBroker, ({ topic }) => topic)].map(([topic, each]) => ({
        topic,
        partitions: each.map(({ partition }) => ({ partition, timestamp: latest })),
      }))
      const { responses } = await broker.listOffsets({ isolationLevel: isolationLevels[isolation], topics })
      return responses.flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, offset }) => [`${topic}/${partition}`, Number(offset)] as const),
      )
    })
    return new Map((await Promise.all(answers)).flat())
  }

  private byLeader<P extends PartitionOf>(requests: readonly P[]): Map<string, P[]> {
    return Map.groupBy(requests, ({ topic, partition }) => {
      const [leader] = Object.keys(this.cluster.findLeaderForPartitions(topic, [partition]))
      if (leader === undefined) throw new TallyError('USAGE', `there is no partition ${partition} of ${topic}`)
      return leader
    })
  }
}
