import { randomUUID } from 'node:crypto'
import type { Kafka, KafkaMessage } from 'kafkajs'
import { waitUntil } from './wait-until.ts'

export type ReadRecord = KafkaMessage & { partition: number }

/** Reads the records of a topic, in order per partition. @param topic name on the broker */
export async function readTopic(kafka: Kafka, topic: string): Promise<ReadRecord[]> {
  const admin = kafka.admin()
  const consumer = kafka.consumer({ groupId: `${topic}-reader-${randomUUID()}`, maxWaitTimeInMs: 50 })
  await Promise.all([admin.connect(), consumer.connect()])
  try {
    const ends = await admin.fetchTopicOffsets(topic)
    const expected = ends.reduce((sum, { high }) => sum + Number(high), 0)
    const records: ReadRecord[] = []
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { partition, messages } }) => {
        for (const message of messages) records.push({ ...message, partition })
      },
    })
    await waitUntil(`${expected} records of ${topic}`, () => records.length >= expected)
    return records
  } finally {
    await Promise.all([admin.disconnect(), consumer.disconnect()])
  }
}
