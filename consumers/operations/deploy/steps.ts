import type { Admin } from 'kafkajs'
import { consumerFolders, consumerMigrations, loadConsumer, schemaName } from '../../runtime/load-consumer.ts'
import { ordersWriter } from '../groups.ts'
import { chooseReplication } from '../../../infra/kafka/brokers/choose-replication.ts'
import { migrateReplays } from '../replay/replay-schema.ts'
import { maintainInbox } from '../../runtime/tables/inbox/partitions.ts'
import type { Config } from '../../../infra/config.ts'
import { TallyError } from '../../../infra/errors.ts'
import { createTopics } from '../../../infra/kafka/topics.ts'
import { currentConfig } from '../../../infra/topic-generations/current-config.ts'
import { beginFirst, migrateGenerations } from '../../../infra/topic-generations/generation-table.ts'
import { createKafka } from '../../../infra/kafka/client.ts'
import { withAdmin } from '../../../infra/kafka/admin.ts'
import { quoteIdentifier } from '../../../infra/postgres/identifiers.ts'
import { followOwner } from '../../../infra/postgres/owners.ts'
import { migrate } from '../../../infra/postgres/migrate.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { EventType } from '../../../schemas/generated/events.ts'
import { ordersMigrations, ordersSchema } from '../../../producers/orders-api/migrations.ts'
import { storeSchemaIds } from '../../../producers/orders-api/orders/schema-ids.ts'
import { registerSchemas } from '../../../schemas/registry/registry.ts'
import { topicName, topics } from '../../../schemas/topics.ts'
import { topicConfig } from '../partitions/generation-topics.ts'
import { whileUnchanged } from '../partitions/operation.ts'

/** Creates or migrates the schemas of the orders API and of every consumer, or only that of one consumer that joins. */
export async function deployDatabase(config: Config, log: Logger, only?: string): Promise<string> {
  await migrateGenerations(config, log)
  const { namespace, postgres } = config
  const pool = createPool({ url: postgres.url, name: 'deploy', max: 2, log }) // One waits with the lock
  try {
    return await whileUnchanged(pool, namespace, () => migrateServices(config, pool, log, only))
  } finally {
    await pool.end()
  }
}

async function migrateServices(config: Config, pool: Pool, log: Logger, only?: string): Promise<string> {
  if (only !== undefined) {
    await deployConsumer(config, log, only)
    return `database: schema of ${only} up to date`
  }
  const { url } = config.postgres
  const folders = consumerFolders()
  await migrate({ url, schema: ordersSchema(config.namespace), folders: ordersMigrations, log })
  for (const folder of folders) await deployConsumer(config, log, folder)
  await migrateReplays(config, log)
  await followOwner(pool, ordersWriter(config).schema)
  return `database: schemas of orders API, replays, ${folders.join(', ')} up to date`
}

async function deployConsumer({ namespace, postgres: { url } }: Config, log: Logger, folder: string): Promise<void> {
  const schema = schemaName(namespace, folder)
  await migrate({ url, schema, folders: consumerMigrations(folder), log })
  const pool = createPool({ url, schema, name: 'deploy', max: 1, log })
  try {
    await maintainInbox(pool)
    await followOwner(pool, quoteIdentifier(schema))
  } finally {
    await pool.end()
  }
}

/**
 * Creates the missing topics of the current generation. For a new pipeline it uses the configured partition count and
 * stores it. Never changes an existing topic.
 * @throws TallyError PRECONDITION_FAILED if brokers are down that new topics need
 */
export async function deployTopics(
  configured: Config,
  log: Logger,
  _only?: string,
  replication: { allowFewer?: boolean } = {},
): Promise<string> {
  await migrateGenerations(configured, log)
  const config = await currentConfig(configured)
  const kafka = createKafka({ servers: config.kafka, clientId: 'tally-deploy', log })
  return withAdmin(kafka, async (admin) => {
    const existing = new Set(await admin.listTopics())
    await assertPartitions(admin, config, existing)
    const missing = topics.filter((topic) => !existing.has(topicName(config.namespace, topic, config.generation)))
    if (missing.length > 0) {
      const copies = await chooseReplication(admin, config, replication)
      await createTopics(
        admin,
        missing.map((topic) => topicConfig(topic, config, copies)),
      )
    }
    await noteFirst(config, log)
    return `topics: ${missing.length} created, ${topics.length - missing.length} there already`
  })
}

async function noteFirst(config: Config, log: Logger): Promise<void> {
  const pool = createPool({ url: config.postgres.url, name: 'deploy', max: 1, log })
  await beginFirst(pool, config.namespace, config.partitions).finally(() => pool.end())
}

/** @throws TallyError CONFIG_INVALID if the partition count differs: keys would belong to other lanes */
async function assertPartitions(admin: Admin, config: Config, existing: ReadonlySet<string>): Promise<void> {
  const names = topics
    .map((topic) => topicName(config.namespace, topic, config.generation))
    .filter((name) => existing.has(name))
  if (names.length === 0) return
  const metadata = await admin.fetchTopicMetadata({ topics: names })
  const other = metadata.topics.find(({ partitions }) => partitions.length !== config.partitions)
  if (!other) return
  throw new TallyError(
    'CONFIG_INVALID',
    `topic ${other.name} has ${other.partitions.length} partitions, not ${config.partitions}: set TALLY_PARTITIONS to what the topics were created with`,
  )
}

/** Registers the event schemas, or none if one would break a reader. Stores the schema ids for the orders API. */
export async function deploySchemas(config: Config, log: Logger): Promise<string> {
  const readers = await readersByType(config)
  const ids = await registerSchemas({
    registryUrl: config.registry.url,
    namespace: config.namespace,
    readersOf: (type) => readers.get(type) ?? [],
    log,
  })
  const pool = createPool({
    url: config.postgres.url,
    schema: schemaName(config.namespace, 'orders'),
    name: 'deploy',
    max: 1,
    log,
  })
  try {
    await storeSchemaIds(pool, ids)
  } finally {
    await pool.end()
  }
  return `schemas: ${ids.size} registered`
}

async function readersByType(config: Config): Promise<Map<EventType, string[]>> {
  const readers = new Map<EventType, string[]>()
  for (const folder of consumerFolders()) {
    const { handlers } = await loadConsumer(folder, config)
    for (const type of Object.keys(handlers) as EventType[]) readers.set(type, [...(readers.get(type) ?? []), folder])
  }
  return readers
}
