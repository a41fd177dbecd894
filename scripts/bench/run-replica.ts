import { setTimeout as sleep } from 'node:timers/promises'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import type { ConsumerDefinition } from '../../consumers/runtime/handler.ts'
import { startConsumer } from '../../consumers/runtime/start-consumer.ts'
import { loadConfig } from '../../infra/config.ts'
import { createKafka } from '../../infra/kafka/client.ts'
import { openMonitor } from '../../infra/monitor/monitor.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { createLogger } from '../../infra/logger.ts'
import { readTopicIds } from '../../infra/kafka/topic-ids.ts'
import { createCodec } from '../../schemas/codec/codec.ts'
import { startMeasuring } from './measured.ts'

type Until =
  | { readonly output: string; readonly unfinished?: undefined }
  | { readonly output?: undefined; readonly unfinished: string }

/**
 * Runs one replica of a consumer in a measured program, until it has published `events` events and all are acknowledged, or
 * until it has processed as many and a table of unfinished work is empty.
 * @param output topic that it publishes to, without namespace; empty before
 * @param unfinished that table
 * @param monitored scrapes its metrics once a second, and exports as the settings say
 */
export async function runReplica<State, Row>(
  definition: ConsumerDefinition<State, Row>,
  { events, output, unfinished, monitored = false }: Until & { events: number; monitored?: boolean },
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
  const lookMs = output === undefined ? 100 : 20 // A query of the replica's own pool is not for free
  const done = async () => {
    if (output === undefined) return hasFinished(pool, unfinished, events)
    const ends = await admin.fetchTopicOffsets(`${namespace}${output}`)
    return ends.reduce((sum, { high }) => sum + Number(high), 0) >= events
  }

  const monitor = await openMonitor({
    ...{ service: group, replica: group },
    ...(monitored ? { ...config.monitor, port: 0 } : { host: '127.0.0.1' }),
  })
  const scraping = setInterval(() => {
    if (monitor.url) void fetch(`${monitor.url}/metrics`).then((answer) => answer.text())
  }, 1_000)
  const running = await startConsumer(definition, {
    ...{ config, pool, codec, log },
    replica: group,
    ...{ meter: monitor.meter, tracer: monitor.tracer },
    broker: { kafka, readIds: readTopicIds },
  })
  while (!(await done())) await sleep(lookMs)
  finish?.(events)
  clearInterval(scraping)
  await monitor.stop()
  await running.stop()
  await Promise.all([pool.end(), admin.disconnect()])
}

async function hasFinished(pool: Pool, unfinished: string, events: number): Promise<boolean> {
  const { rows } = await pool.query<{ finished: boolean }>(
    `select case when exists (select from ${unfinished}) then false
       else (select count(*) from inbox) >= $1 end as finished`,
    [events],
  )
  return rows[0]?.finished === true
}
