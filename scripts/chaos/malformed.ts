import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka, Producer } from 'kafkajs'
import type { Random } from '../../producers/sample-data/seeded.ts'

export interface Place {
  /** Name on the broker. */
  topic: string
  key: string
  partition: number
  random: Random
}

/** Marks the records written here, so that they can be dropped. */
export const malformedHeader = 'chaos-malformed'

/** Unreadable values. */
const makers: readonly ((random: Random) => Buffer | null)[] = [
  () => null,
  () => Buffer.alloc(0),
  () => Buffer.from('{"orderId":"in JSON, by mistake"}'),
  () => Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3]), // A schema that is not registered
  (random) => Buffer.from([0, 0, 0, 0, random.int(1, 9), 0xff, 0xff, 0xff, 0xff, 0x0f]), // A length beyond the end
  () => Buffer.from([7, 0, 0, 0, 1, 2]), // Another magic byte
  (random) => Buffer.from(Array.from({ length: 64 }, () => random.int(0, 255))),
]

/** Writes records to Kafka that no consumer can read. */
export class MalformedRecords {
  private readonly producer: Producer

  private constructor(producer: Producer) {
    this.producer = producer
  }

  static async connect(kafka: Kafka): Promise<MalformedRecords> {
    const producer = kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 3, maxRetryTime: 500 } })
    await producer.connect()
    return new MalformedRecords(producer)
  }

  async send({ topic, key, partition, random }: Place): Promise<void> {
    const value = random.pick(makers)(random)
    for (let failures = 0; ; failures++) {
      try {
        await this.producer.send({ topic, messages: [{ key, value, partition, headers: { [malformedHeader]: '1' } }] })
        return
      } catch (error) {
        if (failures >= 300) throw error
        await delay(1_000)
      }
    }
  }

  stop(): Promise<void> {
    return this.producer.disconnect()
  }
}
