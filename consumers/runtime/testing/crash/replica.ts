import type { Config } from '../../../../infra/config.ts'
import { createKafka } from '../../../../infra/kafka/client.ts'
import { createPool } from '../../../../infra/postgres/pool.ts'
import type { Running } from '../../../../infra/service.ts'
import type { Logger } from '../../../../infra/logger.ts'
import { readTopicIds } from '../../../../infra/kafka/topic-ids.ts'
import type { Codec } from '../../../../schemas/codec/codec.ts'
import { schemaName } from '../../load-consumer.ts'
import type { ConsumerDefinition } from '../../handler.ts'
import { startConsumer } from '../../start-consumer.ts'
import { observeSteps, replace } from './steps.ts'
import type { Passed } from './steps.ts'

export interface ReplicaOptions {
  definition: ConsumerDefinition<unknown, unknown>
  config: Config
  codec: Codec
  log: Logger
  /** Unique among the replicas of the trial. */
  name: string
  passed?: Passed
}

/**
 * Starts a replica whose steps are observed. It forms a separate Kafka group, so that it does not wait until the broker
 * considers the previous replica dead. Ownership and positions are in the database, which the replicas share.
 */
export async function startReplica({
  config,
  codec,
  log,
  name,
  passed = () => {},
  ...options
}: ReplicaOptions): Promise<Running> {
  const { group } = options.definition
  const pool = createPool({ url: config.postgres.url, schema: schemaName(config.namespace, group), name, max: 6, log })
  const kafka = createKafka({ servers: config.kafka, clientId: name, log })
  const inGroupOfItsOwn = replace(kafka, {
    consumer: (settings) => kafka.consumer({ ...settings, groupId: `${config.namespace}${group}-${name}` }),
  })
  const observed = observeSteps({ ...options, pool, codec, kafka: inGroupOfItsOwn }, passed)
  const running = await startConsumer(observed.definition, {
    config,
    pool: observed.pool,
    codec: observed.codec,
    broker: { kafka: observed.kafka, readIds: readTopicIds },
    log,
    replica: name,
  })
  return {
    async stop() {
      await running.stop()
      await pool.end()
    },
  }
}

/** @param path of the module whose default export creates the definition from the configuration, as in `consumers/<name>/consumer.ts` */
export async function loadDefinition(path: string, config: Config): Promise<ConsumerDefinition<unknown, unknown>> {
  const module = (await import(path)) as { default: (config: Config) => ConsumerDefinition<unknown, unknown> }
  return module.default(config)
}
