import { setTimeout as sleep } from 'node:timers/promises'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import type { ConsumerDefinition } from '../../consumers/runtime/handler.ts'
import { startConsumer } from '../../consumers/runtime/start-consumer.ts'
import { loadConfig } from '../../infra/config.ts'
import { createKafka } from '../../infra/kafka/client.ts'
import { openMonitor } from '../../infra/monitor/monitor.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import { createLogger } from '../../infra/logger.ts'
import { readTopicIds } from '../../infra/kafka/topic-ids.ts'
import { createCodec } from '../../schemas/codec/codec.ts'
import { startMeasuring } from './measured.ts'

/**
 * Runs one replica of a consumer in a measured program, until it has published `events` events and all are acknowledged.
 * @param output topic that it publishes to, without namespace; empty before
 * @param monitored scrapes its metrics once a second
 */
export async function runReplica<State, Row>(
  definition: ConsumerDefinition<State, Row>,
  { events, output, monitored = false }: { events: number; output: string; monitored?: boolean },
): Promise<void> {
  const { group } = definition
  const config = loadConfig()
  const { namespace } = config
  const log = createLogger(group, config.logLevel)
  const schema = schemaName(namespace, group)
  const pool = createPool({ url: config.postgres.url, schema, name: group, max: 6, byKey: true, log })
  const codec = await createCodec({ registryUrl: config.registry.url, namespace, log })
  const kafka = createKafka({ servers: config.kafka, clientId: group, log })
  const admin = kafka.admin()
  await admin.connect()

  // Start the clock when the lanes are assigned: connecting and joining do not count
  let finish: ReturnType<typeof startMeasuring> | undefined
  const { consumer } = kafka
  kafka.consumer = (options) => {
    const made = consumer.call(kafka, options)
    made.on(made.events.GROUP_JOIN, () => (finish ??= startMeasuring()))
    return made
  }
  const published = async () =>
    (await admin.fetchTopicOffsets(`${namespace}${output}`)).reduce((sum, { high }) => sum + Number(high), 0)

  const monitor = await openMonitor({
    ...{ service: group, replica: group, host: '127.0.0.1' },
    port: monitored ? 0 : undefined,
  })
  const scraping = setInterval(() => {
    if (monitor.url) void fetch(`${monitor.url}/metrics`).then((answer) => answer.text())
  }, 1_000)
  const running = await startConsumer(definition, {
    ...{ config, pool, codec, log },
    replica: group,
    meter: monitor.meter,
    broker: { kafka, readIds: readTopicIds },
  })
  while ((await published()) < events) await sleep(20)
  finish?.(events)
  clearInterval(scraping)
  await monitor.stop()
  await running.stop()
  await Promise.all([pool.end(), admin.disconnect()])
}
