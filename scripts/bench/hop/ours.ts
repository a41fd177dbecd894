// One replica of a consumer, the real one, until all it was to publish is acknowledged.
import { setTimeout as sleep } from 'node:timers/promises'
import { schemaName } from '../../../consumers/load-consumer.ts'
import { startConsumer } from '../../../consumers/runtime/start-consumer.ts'
import { loadConfig } from '../../../infra/config.ts'
import { createKafka } from '../../../infra/kafka.ts'
import { createPool } from '../../../infra/postgres.ts'
import { createLogger } from '../../../infra/telemetry.ts'
import { readTopicIds } from '../../../infra/topic-ids.ts'
import { createCodec } from '../../../schemas/codec.ts'
import { startMeasuring, readOrder } from '../measured.ts'
import { hopConsumer } from './hop-consumer.ts'

const { events } = readOrder<{ events: number }>()
const config = loadConfig()
const { namespace } = config
const log = createLogger('hop', config.logLevel)
const schema = schemaName(namespace, hopConsumer.group)
const pool = createPool({ url: config.postgres.url, schema, name: 'hop', max: 6, log })
const codec = await createCodec({ registryUrl: config.registry.url, namespace, log })
const kafka = createKafka({ brokers: config.kafka.brokers, clientId: 'hop', log })
const admin = kafka.admin()
await admin.connect()

/** The clock starts when the group has given us its lanes: connecting and joining are not the work. */
let finish: ReturnType<typeof startMeasuring> | undefined
const { consumer } = kafka
kafka.consumer = (options) => {
  const made = consumer.call(kafka, options)
  made.on(made.events.GROUP_JOIN, () => (finish ??= startMeasuring()))
  return made
}
const published = async () =>
  (await admin.fetchTopicOffsets(`${namespace}payments`)).reduce((sum, { high }) => sum + Number(high), 0)

const running = await startConsumer(hopConsumer, {
  ...{ config, pool, codec, log },
  replica: 'hop',
  died: (reason) => {
    process.stderr.write(`${reason}\n`)
    process.exit(1)
  },
  broker: { kafka, readIds: readTopicIds },
})
while ((await published()) < events) await sleep(20)
finish?.(events)
await running.stop()
await Promise.all([pool.end(), admin.disconnect()])
