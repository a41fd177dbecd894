// Publishes with the publisher of the scripts, which encodes while the previous request is in flight.
import { loadConfig } from '../../../infra/config.ts'
import { createKafka } from '../../../infra/kafka/client.ts'
import { silentLogger } from '../../../infra/logger.ts'
import { Publisher } from '../../../producers/direct/publisher.ts'
import { createCodec } from '../../../schemas/codec/codec.ts'
import { startMeasuring, readParameters } from '../measured.ts'
import { orderPool } from '../order-pool.ts'

const { events } = readParameters<{ events: number }>()
const perCall = 2_000
const { namespace, kafka: settings, registry } = loadConfig()
const log = silentLogger
const kafka = createKafka({ servers: { brokers: settings.brokers }, clientId: 'bench', log })
const codec = await createCodec({ registryUrl: registry.url, namespace, log })
const publisher = await Publisher.connect({ kafka, namespace, codec })
const orders = orderPool(events)

const finish = startMeasuring()
let before: Promise<void> = Promise.resolve()
for (let from = 0; from < events; from += perCall) {
  const published = publisher.publish(orders(from, Math.min(from + perCall, events)))
  published.catch(() => {}) // Awaited in the next iteration
  await before
  before = published
}
await before
finish(events)
await publisher.stop()
