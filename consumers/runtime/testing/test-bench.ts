import type { Meter } from '../../../infra/monitor/meters.ts'
import type { Tracer } from '../../../infra/monitor/tracer.ts'
import type { IHeaders, Kafka } from 'kafkajs'
import type { Config } from '../../../infra/config.ts'
import { readTopicIds } from '../../../infra/kafka/topic-ids.ts'
import { migrate } from '../../../infra/postgres/migrate.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Notices } from '../../../infra/notices/notices.ts'
import type { Running } from '../../../infra/service.ts'
import type { Logger } from '../../../infra/logger.ts'
import { createSandbox } from '../../../schemas/testing/sandbox.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { createCodec } from '../../../schemas/codec/codec.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import { toHeaders } from '../../../schemas/envelope.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import type { EventData, EventType } from '../../../schemas/generated/events.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { registerSchemas } from '../../../schemas/registry/registry.ts'
import { keyOf, topicName, topicOf } from '../../../schemas/topics.ts'
import { consumerMigrations, schemaName } from '../load-consumer.ts'
import { startConsumer } from '../start-consumer.ts'
import type { RunningConsumer } from '../start-consumer.ts'
import type { ConsumerDefinition } from '../handler.ts'
import { maintainInbox } from '../tables/inbox/partitions.ts'

export interface Published {
  type: EventType
  data: EventData[EventType]
  id?: string
}

/** Real servers, a separate namespace and one consumer under test. Disposal removes everything. */
export interface TestBench extends AsyncDisposable {
  readonly sandbox: Sandbox
  readonly config: Config
  readonly codec: Codec
  /** Connections whose search path is the consumer's schema. */
  readonly pool: Pool
  /** Starts another replica; disposal stops it unless the test does. */
  replica<S, R>(
    definition: ConsumerDefinition<S, R>,
    name?: string,
    overrides?: { pool?: Pool; meter?: Meter; tracer?: Tracer; notices?: Notices; kafka?: Kafka },
  ): Promise<RunningConsumer>
  /** Publishes straight to Kafka, each event to the lane of its key, in the order given. */
  publish(events: readonly Published[]): Promise<void>
  /** Publishes a record unchanged. */
  publishRaw(
    topic: string,
    record: { key: string | null; value: Buffer | null; headers?: IHeaders; partition?: number },
  ): Promise<void>
  /** Resolves when the group's ledger has reached the ends of these topics and its outbox and call table are empty. */
  settled(topics: readonly string[]): Promise<void>
}

/**
 * @param ddl the consumer's own tables, without schema prefix
 * @param settings environment variables that differ from the defaults
 */
export async function openTestBench(
  group: string,
  ddl: string,
  partitions = 3,
  settings: Readonly<Record<string, string>> = {},
): Promise<TestBench> {
  const sandbox = createSandbox({
    TALLY_PARTITIONS: String(partitions),
    TALLY_SESSION_TIMEOUT_MS: '3000',
    ...settings,
  })
  const { config, kafka, namespace, log } = sandbox
  const schema = schemaName(namespace, group)
  const registryUrl = config.registry.url
  await Promise.all([
    sandbox.createTopics(partitions),
    registerSchemas({ registryUrl, namespace, readersOf: () => [], log }),
    migrate({ url: config.postgres.url, schema, folders: consumerMigrations(group), log }),
  ])
  const pool = openPool(config, schema, log)
  await maintainInbox(pool)
  await pool.query(ddl)
  const codec = await createCodec({ registryUrl, namespace, log })
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  const admin = kafka.admin()
  await Promise.all([producer.connect(), admin.connect()])
  const replicas: Running[] = []

  const ends = async (topics: readonly string[]) =>
    (
      await Promise.all(
        topics.map(async (topic) =>
          (
            await admin.fetchTopicOffsets(`${namespace}${topic}`)
          ).map(({ partition, high }) => `${topic}/${partition}=${high}`),
        ),
      )
    ).flat()

  const bench: TestBench = {
    sandbox,
    config,
    codec,
    pool,
    async replica(definition, name = `replica ${replicas.length + 1}`, overrides = {}) {
      const running = stopOnce(
        await startConsumer(definition, {
          config,
          pool: overrides.pool ?? pool,
          notices: overrides.notices,
          codec,
          log,
          replica: name,
          meter: overrides.meter,
          tracer: overrides.tracer,
          ...(overrides.kafka && { broker: { kafka: overrides.kafka, readIds: readTopicIds } }),
        }),
      )
      replicas.push(running)
      return running
    },
    async publish(events) {
      for (const { type, data, id = newEventId() } of events) {
        const subject = keyOf(data)
        const headers = toHeaders({ id, type, source: '/test', time: Date.now(), subject, correlationId: subject })
        await producer.send({
          topic: topicName(namespace, topicOf(type)),
          messages: [
            { key: subject, value: codec.encode(type, data as never), headers, partition: laneOf(subject, partitions) },
          ],
        })
      }
    },
    async publishRaw(topic, record) {
      const partition = record.partition ?? laneOf(record.key ?? '', partitions)
      await producer.send({ topic: `${namespace}${topic}`, messages: [{ ...record, partition }] })
    },
    async settled(topics) {
      await waitUntil(`${group} has taken all of ${topics.join(', ')}`, async () => {
        const { rows } = await pool.query<{ place: string }>(
          `select distinct on (topic, partition) topic || '/' || partition || '=' || next_offset as place
           from ledger order by topic, partition, epoch desc`,
        )
        const taken = new Set(rows.map(({ place }) => place))
        const waiting = await pool.query('select 1 from outbox_batch union all select 1 from call')
        return waiting.rowCount === 0 && (await ends(topics)).every((place) => taken.has(place))
      })
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(replicas.map((running) => running.stop()))
      await Promise.all([producer.disconnect(), admin.disconnect(), pool.end()])
      await sandbox.close()
    },
  }
  return bench
}

export const openPool = (config: Config, schema: string, log: Logger): Pool =>
  createPool({ url: config.postgres.url, schema, name: `test ${schema}`, max: 6, log })

function stopOnce(running: RunningConsumer): RunningConsumer {
  let stopping: Promise<void> | undefined
  return { ...running, stop: () => (stopping ??= running.stop()) }
}
