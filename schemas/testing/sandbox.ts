import { randomBytes } from 'node:crypto'
import type { Kafka } from 'kafkajs'
import { topicName, topics } from '../topics.ts'
import { loadConfig } from '../../infra/config.ts'
import type { Config } from '../../infra/config.ts'
import { createTopics } from '../../infra/kafka/topics.ts'
import { createKafka } from '../../infra/kafka/client.ts'
import { withAdmin } from '../../infra/kafka/admin.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { Logger } from '../../infra/logger.ts'
import { createTestLogger } from '../../infra/testing/test-logger.ts'

/** A namespace of the test on the shared servers: everything it creates has this prefix and is dropped at the end. */
export interface Sandbox extends AsyncDisposable {
  readonly config: Config
  readonly namespace: string
  /** For processes started by the test: the environment with this namespace. */
  readonly env: NodeJS.ProcessEnv
  readonly log: Logger
  readonly kafka: Kafka
  /** A pool whose search path has no schema of the pipeline: qualify names, or create another pool. */
  readonly pool: Pool
  /** Creates the topics of schemas/topics.ts. Without it the test has none. */
  createTopics(partitions?: number): Promise<void>
  close(): Promise<void>
}

/** @param env variables that differ from the run's own, `{ TALLY_PARTITIONS: '3' }` */
export function createSandbox(env: NodeJS.ProcessEnv = {}): Sandbox {
  const namespace = `t${randomBytes(6).toString('hex')}_`
  const ownEnv = { ...process.env, ...env, TALLY_NAMESPACE: namespace }
  const config = loadConfig(ownEnv)
  const log = createTestLogger(config.logLevel)
  const kafka = createKafka({ servers: config.kafka, clientId: namespace, log })
  const pool = createPool({ url: config.postgres.url, name: namespace, answerWithinMs: 60_000, log }) // A busy machine
  let closing: Promise<void> | undefined
  const close = () => (closing ??= drop({ namespace, kafka, pool }).finally(() => pool.end()))
  return {
    config,
    namespace,
    env: ownEnv,
    log,
    kafka,
    pool,
    createTopics: (partitions = config.partitions) =>
      withAdmin(kafka, async (admin) => {
        const names = topics.map((topic) => topicName(namespace, topic))
        const replicationFactor = Math.min(3, config.kafka.brokers.length)
        await createTopics(
          admin,
          names.map((topic) => ({ topic, numPartitions: partitions, replicationFactor })),
        )
        // Only leaders answer: a new topic may have none yet, a broker may not know it yet, and a producer would be refused
        await Promise.all(names.map((topic) => admin.fetchTopicOffsets(topic)))
      }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function drop({ namespace, kafka, pool }: Pick<Sandbox, 'namespace' | 'kafka' | 'pool'>): Promise<void> {
  const { rows } = await pool.query<{ nspname: string }>(
    'select nspname from pg_namespace where starts_with(nspname, $1)',
    [namespace],
  )
  for (const { nspname } of rows) await pool.query(`drop schema "${nspname}" cascade`)
  await withAdmin(kafka, async (admin) => {
    const own = (await admin.listTopics()).filter((topic) => topic.startsWith(namespace))
    if (own.length > 0) await admin.deleteTopics({ topics: own })
  })
}
