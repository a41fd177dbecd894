// Publishes with @platformatic/kafka and the registry's client, 2,000 records per send.
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import { ProduceAcks, Producer, stringSerializer } from '@platformatic/kafka'
import { toHeaders } from '../../../schemas/envelope.ts'
import { readParameters, startMeasuring } from '../measured.ts'
import { orderPool } from '../order-pool.ts'

const { brokers, registryUrl, topic, subject, events } = readParameters<{
  brokers: string[]
  registryUrl: string
  topic: string
  subject: string
  events: number
}>()
const perSend = 2_000
const registry = new SchemaRegistry({ host: registryUrl })
const producer = new Producer<string, Buffer, string, string>({
  clientId: 'peer',
  bootstrapBrokers: brokers,
  serializers: { key: stringSerializer, headerKey: stringSerializer, headerValue: stringSerializer },
  idempotent: true,
  acks: ProduceAcks.ALL,
  autocreateTopics: false,
})
const schemaId = await registry.getLatestSchemaId(subject)
const orders = orderPool(events)
await producer.metadata({ topics: [topic] })

const finish = startMeasuring()
for (let from = 0; from < events; from += perSend) {
  const messages = await Promise.all(
    orders(from, Math.min(from + perSend, events)).map(async ({ id, type, data }) => {
      const key = data.orderId
      const headers = toHeaders({ id, type, source: '/peer', time: Date.now(), subject: key, correlationId: key })
      return { topic, key, value: await registry.encode(schemaId, data), headers }
    }),
  )
  await producer.send({ messages })
}
finish(events)
await producer.close()
