// Publishes with kafkajs and the registry's client, both with default settings, 2,000 records per send.
import kafkajs from 'kafkajs'
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
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
const kafka = new kafkajs.Kafka({ brokers, clientId: 'peer', logLevel: kafkajs.logLevel.NOTHING })
const registry = new SchemaRegistry({ host: registryUrl })
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false })
const schemaId = await registry.getLatestSchemaId(subject)
const orders = orderPool(events)
await producer.connect()

const finish = startMeasuring()
for (let from = 0; from < events; from += perSend) {
  const messages = await Promise.all(
    orders(from, Math.min(from + perSend, events)).map(async ({ id, type, data }) => {
      const key = data.orderId
      const headers = toHeaders({ id, type, source: '/peer', time: Date.now(), subject: key, correlationId: key })
      return { key, value: await registry.encode(schemaId, data), headers }
    }),
  )
  await producer.send({ topic, acks: -1, messages })
}
finish(events)
await producer.disconnect()
