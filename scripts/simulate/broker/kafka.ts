import type { Admin, Kafka } from 'kafkajs'
import { SimulatedConsumer } from './consumer.ts'
import { simulatedProducer } from './producer.ts'
import type { Wire } from './wire.ts'
import { request } from './wire.ts'

/** The Kafka client of one process. */
export function simulatedKafka(wire: Wire): Kafka {
  const kafka = {
    admin: () => simulatedAdmin(wire),
    producer: () => simulatedProducer(wire),
    consumer: (config: ConstructorParameters<typeof SimulatedConsumer>[1]) => new SimulatedConsumer(wire, config),
  }
  return kafka as unknown as Kafka
}

function simulatedAdmin(wire: Wire): Admin {
  const { broker } = wire
  const admin = {
    connect: () => request(wire, () => {}),
    disconnect: async () => {},
    listTopics: () => request(wire, () => [...broker.topics]),
    fetchTopicOffsets: (topic: string) =>
      request(wire, () =>
        Array.from({ length: broker.partitions }, (_, partition) => {
          const high = String(broker.end(topic, partition))
          return { partition, offset: high, high, low: '0' }
        }),
      ),
  }
  return admin as unknown as Admin
}

/** Topic ids by name, as in a Metadata response. */
export const simulatedTopicIds = (wire: Wire) => (_to: unknown, topics: readonly string[]) =>
  request(wire, () => new Map(topics.map((topic) => [topic, `id of ${topic}`])))
