import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Kafka } from 'kafkajs'
import { withAdmin } from '../../kafka/admin.ts'
import { pinned } from '../../stack/servers/jars.ts'
import { waitUntil } from '../wait-until.ts'

/** Id of the active controller of an embedded cluster, as its first broker knows it. */
export function controllerOf(dataDir: string): number {
  const quorum = join(dataDir, 'kafka', pinned('kafka.version'), 'data', '__cluster_metadata-0', 'quorum-state')
  return (JSON.parse(readFileSync(quorum, 'utf8')) as { leaderId: number }).leaderId
}

/** Broker that coordinates a group: the leader of its partition of the offsets topic. */
export async function coordinatorOf(kafka: Kafka, groupId: string): Promise<number> {
  const topic = '__consumer_offsets'
  let hash = 0 // Java's String.hashCode, by which Kafka chooses the partition
  for (const char of groupId) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) | 0
  const { topics } = await withAdmin(kafka, (admin) => admin.fetchTopicMetadata({ topics: [topic] }))
  const partitions = topics[0]?.partitions ?? []
  return leaderIn(partitions, (hash & 0x7fffffff) % partitions.length)
}

export async function leaderOf(kafka: Kafka, topic: string, partition: number): Promise<number> {
  const { topics } = await withAdmin(kafka, (admin) => admin.fetchTopicMetadata({ topics: [topic] }))
  return leaderIn(topics[0]?.partitions ?? [], partition)
}

/** Resolves when the broker leads none of the topics' partitions: Kafka takes it for lost. @param topics @default all */
export const leadsNothing = (kafka: Kafka, id: number, topics?: readonly string[]): Promise<boolean> =>
  withAdmin(kafka, (admin) =>
    waitUntil('the broker is taken for lost', async () => {
      const { topics: found } = await admin.fetchTopicMetadata(topics && { topics: [...topics] })
      return found.every(({ partitions }) => partitions.every(({ leader }) => leader !== id && leader >= 0))
    }),
  )

const leaderIn = (partitions: readonly { partitionId: number; leader: number }[], partition: number): number =>
  partitions.find(({ partitionId }) => partitionId === partition)?.leader ?? -1
