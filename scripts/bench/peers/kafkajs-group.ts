// Runs one replica of a group that processes orders with kafkajs's eachMessage until SIGTERM.
import kafkajs from 'kafkajs'
import pg from 'pg'
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import { readParameters } from '../measured.ts'
import { orderEffect } from './order-effect.ts'

const { brokers, registryUrl, databaseUrl, schema, group, input, output, subject, sessionTimeout } = readParameters<{
  brokers: string[]
  registryUrl: string
  databaseUrl: string
  schema: string
  group: string
  input: string
  output: string
  subject: string
  sessionTimeout: number
}>()
const atOnce = 12
const kafka = new kafkajs.Kafka({ brokers, clientId: 'peer', logLevel: kafkajs.logLevel.NOTHING })
const registry = new SchemaRegistry({ host: registryUrl })
const pool = new pg.Pool({ connectionString: databaseUrl, options: `-c search_path=${schema}`, max: 6 })
const producer = kafka.producer({ allowAutoTopicCreation: false })
// A third of the session timeout, as kafkajs's documentation recommends; the default is for its default session of 30 s
const heartbeatInterval = Math.round(sessionTimeout / 3)
const consumer = kafka.consumer({ groupId: group, sessionTimeout, heartbeatInterval })
const schemaId = await registry.getLatestSchemaId(subject)
const handle = orderEffect({ registry, schemaId, pool, producer, output })

consumer.on(consumer.events.GROUP_JOIN, () => void process.send?.({ type: 'ready' }))
process.on('SIGTERM', async () => {
  await consumer.disconnect()
  await Promise.all([producer.disconnect(), pool.end()])
  process.exit()
})
await Promise.all([producer.connect(), consumer.connect()])
await consumer.subscribe({ topics: [input], fromBeginning: true })
await consumer.run({ partitionsConsumedConcurrently: atOnce, eachMessage: ({ message }) => handle(message) })
