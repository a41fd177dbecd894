// Reads with kafkajs and the registry's client, both with default settings.
import kafkajs from 'kafkajs'
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import { readParameters, startMeasuring } from '../measured.ts'

const { brokers, registryUrl, topic, events } = readParameters<{
  brokers: string[]
  registryUrl: string
  topic: string
  events: number
}>()
const kafka = new kafkajs.Kafka({ brokers, clientId: 'peer', logLevel: kafkajs.logLevel.NOTHING })
const registry = new SchemaRegistry({ host: registryUrl })
const consumer = kafka.consumer({ groupId: `${topic}-peer` })
let [records, totalMinor] = [0, 0]
let finish: ReturnType<typeof startMeasuring> | undefined
const done = Promise.withResolvers<void>()

consumer.on(consumer.events.GROUP_JOIN, () => (finish ??= startMeasuring()))
await consumer.connect()
await consumer.subscribe({ topics: [topic], fromBeginning: true })
await consumer.run({
  partitionsConsumedConcurrently: 12,
  eachBatch: async ({ batch }) => {
    for (const { value } of batch.messages) {
      if (!value) continue
      const order = (await registry.decode(value)) as { totalMinor: number }
      totalMinor += order.totalMinor
      records++
    }
    if (records >= events) done.resolve()
  },
})
await done.promise
finish?.(records, { records, totalMinor })
await consumer.disconnect()
