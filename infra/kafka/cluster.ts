import type { Kafka } from 'kafkajs'
import { TallyError } from '../errors.ts'

interface FetchingBroker {
  fetch(request: object): Promise<{
    responses: readonly { topicName: string; partitions: readonly { partition: number }[] }[]
  }>
  listOffsets(request: object): Promise<{
    responses: readonly { topic: string; partitions: readonly { partition: number; offset: string }[] }[]
  }>
}

/** A request as kafkajs sends it; `decode` gets the answer behind its correlation id. */
export interface WireRequest<T> {
  request: {
    apiName: string
    apiKey: number
    apiVersion: number
    encode(): Promise<{ buffer: Buffer; size(): number }>
  }
  response: { decode(answer: Buffer): Promise<T>; parse(decoded: T): Promise<T> }
}

/** The cluster class of kafkajs, as far as it is used here; it has no types. */
export interface Cluster {
  connect(): Promise<void>
  disconnect(): Promise<void>
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>
  refreshMetadata(): Promise<void>
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Record<string, number[]>
  findBroker(node: { nodeId: string }): Promise<FetchingBroker>
  brokerPool: {
    /** The broker that was connected to first. */
    seedBroker: { connectionPool: { send<T>(request: WireRequest<T>): Promise<T> } }
  }
}

const readCommitted = 1
const createCluster = 'private:Kafka:createCluster'

/**
 * The connections of a client without a producer, consumer or admin around them. They are behind a private symbol of kafkajs
 * 2.2.4. TLS, login and time limits are those of the client.
 */
export function clusterOf(kafka: Kafka): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === createCluster)
  if (!symbol) throw new TallyError('INVARIANT', `this version of kafkajs has no ${createCluster}`)
  const create = (kafka as unknown as Record<symbol, (options: object) => Cluster>)[symbol]!
  return create({ allowAutoTopicCreation: false, isolationLevel: readCommitted, metadataMaxAge: 300_000 })
}
