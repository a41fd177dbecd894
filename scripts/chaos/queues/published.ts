import type { Kafka } from 'kafkajs'
import { readRecordInput } from '../../../consumers/runtime/batch/read-records.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import type { EventType } from '../../../schemas/generated/events.ts'
import { topicName, topics } from '../../../schemas/topics.ts'
import { offsetRanges, readTopics } from '../../verify/read-topics.ts'

/** An event of a topic. */
export interface PublishedEvent {
  readonly id: string
  readonly type: EventType
  readonly key: string
  /** Without namespace. */
  readonly topic: string
}

/** Reads the readable events of all topics, the first of each id, in the order of their offsets. */
export async function readPublished(options: {
  kafka: Kafka
  codec: Codec
  namespace: string
  signal: AbortSignal
}): Promise<PublishedEvent[]> {
  const { kafka, codec, namespace, signal } = options
  const ranges = await offsetRanges(
    kafka,
    topics.map((topic) => topicName(namespace, topic)),
  )
  const found = new Map<string, PublishedEvent>()
  await readTopics({
    ...{ kafka, namespace, ranges, signal },
    async onRecords(onBroker, partition, messages) {
      const ids = messages.map(({ value }) => codec.schemaIdOf(value)).filter((id) => id !== undefined)
      await codec.learn(ids)
      const topic = onBroker.slice(namespace.length)
      const where = { codec, topic, partition, partitions: ranges.get(onBroker)?.length ?? 1 }
      for (const message of messages) {
        const input = readRecordInput(message, () => `${topic}/${partition}/${message.offset}`, where)
        const { event, key, inboxId, cause } = input
        if (event && !found.has(inboxId)) found.set(inboxId, { id: cause.eventId, type: event.type, key, topic })
      }
    },
  })
  return [...found.values()]
}
