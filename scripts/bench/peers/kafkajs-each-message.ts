// Processes each order with eachMessage until all are done.
import kafkajs from 'kafkajs'
import pg from 'pg'
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import { readParameters, startMeasuring } from '../measured.ts'
import { orderEffect } from './order-effect.ts'
import { reserveEffect } from './reserve-effect.ts'

const { brokers, registryUrl, databaseUrl, schema, input, output, subject, events, atOnce, effect } = readParameters<{
  brokers: string[]
  registryUrl: string
  databaseUrl: string
  schema: string
  input: string
  output: string
  subject: string
  events: number
  /** Partitions processed concurrently. */
  atOnce: number
  effect?: 'order' | 'reserve'
}>()
const kafka = new kafkajs.Kafka({ brokers, clientId: 'peer', logLevel: kafkajs.logLevel.NOTHING })
const registry = new SchemaRegistry({ host: registryUrl })
const pool = new pg.Pool({ connectionString: databaseUrl, options: `-c search_path=${schema}`, max: atOnce })
const producer = kafka.producer({ allowAutoTopicCreation: false })
const consumer = kafka.consumer({ groupId: `${input}-peer` })
const schemaId = await registry.getLatestSchemaId(subject)
const effectOf = effect === 'reserve' ? reserveEffect : orderEffect
const handle = effectOf({ registry, schemaId, pool, producer, output })
const done = Promise.withResolvers<void>()
/** Ids of processed events: after a rebalance, which happens on a busy machine, uncommitted events are delivered again. */
const handled = new Set<string>()
let finish: ReturnType<typeof startMeasuring> | undefined

consumer.on(consumer.events.GROUP_JOIN, () => (finish ??= startMeasuring()))
await Promise.all([producer.connect(), consumer.connect()])
await consumer.subscribe({ topics: [input], fromBeginning: true })
await consumer.run({
  partitionsConsumedConcurrently: atOnce,
  eachMessage: async ({ message }) => {
    await handle(message)
    if (handled.add(String(message.headers?.['ce_id'])).size === events) done.resolve()
  },
})
await done.promise
finish?.(events)
await consumer.disconnect()
await Promise.all([producer.disconnect(), pool.end()])
