import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kafka } from 'kafkajs'
import { environmentWith } from '../../config.ts'
import { TallyError } from '../../errors.ts'
import { withAdmin } from '../../kafka/client.ts'
import { brokerName, kafkaServers } from '../../stack/servers/kafka-server.ts'
import { pinned } from '../../stack/servers/jars.ts'
import { loadStackConfig } from '../../stack/supervisor/data-dir.ts'
import type { ProcessIdentity } from '../../stack/supervisor/process-identity.ts'
import { signalTo } from '../../stack/supervisor/process-identity.ts'
import { startStack } from '../../stack/supervisor/supervisor.ts'
import { waitUntil } from '../wait-until.ts'

/** A cluster of a test's own, whose brokers can be killed and frozen; a killed one is started again. */
export interface ThreeBrokers extends AsyncDisposable {
  readonly dataDir: string
  /** host:port of each. */
  readonly addresses: readonly string[]
  /** Id of the broker that is the active controller. */
  controller(): number
  kill(id: number): void
  /** @returns what lets it run again; it does by itself at the end */
  freeze(id: number): () => void
  /** Resolves when every broker is up and every partition of `topics` is in sync on all of them. */
  whole(kafka: Kafka, topics: readonly string[]): Promise<void>
}

export async function startThreeBrokers(portBase: number): Promise<ThreeBrokers> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tally-brokers-'))
  const config = loadStackConfig({
    ...environmentWith({ TALLY_DATA_DIR: dataDir, TALLY_PORT_BASE: String(portBase), TALLY_BROKERS: '3' }),
    TALLY_KAFKA_BROKERS: undefined,
  })
  const stack = await startStack(config, { processes: kafkaServers(config, { heapMb: 256 }) })
  if (!stack) throw new TallyError('INVARIANT', `a stack runs in ${dataDir}`)
  const processOf = (id: number) => stack.status().processes.find(({ name }) => name === brokerName(id))
  const identityOf = (id: number): ProcessIdentity => {
    const identity = processOf(id)?.identity
    if (!identity) throw new TallyError('INVARIANT', `broker ${id} does not run`)
    return identity
  }
  const frozen = new Set<ProcessIdentity>()
  const thaw = (identity: ProcessIdentity) => {
    frozen.delete(identity)
    signalTo(identity, 'SIGCONT')
  }
  return {
    dataDir,
    addresses: config.kafka.brokers,
    controller() {
      const quorum = join(dataDir, 'kafka', pinned('kafka.version'), 'data', '__cluster_metadata-0', 'quorum-state')
      return (JSON.parse(readFileSync(quorum, 'utf8')) as { leaderId: number }).leaderId
    },
    kill: (id) => signalTo(identityOf(id), 'SIGKILL'),
    freeze(id) {
      const identity = identityOf(id)
      frozen.add(identity)
      signalTo(identity, 'SIGSTOP')
      return () => thaw(identity)
    },
    async whole(kafka, topics) {
      await waitUntil('all brokers are up and in sync', async () => {
        if (!stack.status().processes.every(({ state }) => state === 'ready')) return false
        const { topics: found } = await withAdmin(kafka, (admin) => admin.fetchTopicMetadata({ topics: [...topics] }))
        return found.every(({ partitions }) => partitions.every(({ isr }) => isr.length === config.kafka.nodes.length))
      })
    },
    async [Symbol.asyncDispose]() {
      for (const identity of frozen) thaw(identity)
      await stack.down()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
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

const leaderIn = (partitions: readonly { partitionId: number; leader: number }[], partition: number): number =>
  partitions.find(({ partitionId }) => partitionId === partition)?.leader ?? -1
