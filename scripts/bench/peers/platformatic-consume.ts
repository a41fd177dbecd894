// Reads the message stream of @platformatic/kafka, with the registry's client of the kafkajs peer.
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import { Consumer, MessagesStreamModes } from '@platformatic/kafka'
import { readParameters, startMeasuring } from '../measured.ts'

const { brokers, registryUrl, topic, events } = readParameters<{
  brokers: string[]
  registryUrl: string
  topic: string
  events: number
}>()
const registry = new SchemaRegistry({ host: registryUrl })
const consumer = new Consumer({ clientId: 'peer', groupId: `${topic}-peer`, bootstrapBrokers: brokers })
let [records, totalMinor] = [0, 0]

const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST }) // Has joined the group
const finish = startMeasuring()
for await (const { value } of stream) {
  const order = (await registry.decode(value)) as { totalMinor: number }
  totalMinor += order.totalMinor
  if (++records >= events) break
}
finish(records, { records, totalMinor })
await consumer.close(true)
