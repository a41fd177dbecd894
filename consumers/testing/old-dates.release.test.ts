import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Kafka } from 'kafkajs'
import { withAdmin } from '../../infra/kafka/admin.ts'
import { createKafka } from '../../infra/kafka/client.ts'
import { silentLogger } from '../../infra/logger.ts'
import { startBrokers } from '../../infra/testing/brokers/start-brokers.ts'
import type { TestBrokers } from '../../infra/testing/brokers/start-brokers.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { topics } from '../../schemas/topics.ts'
import { topicConfig } from '../operations/partitions/generation-topics.ts'
import { whyLost } from '../runtime/group/topic-offsets.ts'

let brokers: TestBrokers
let kafka: Kafka
beforeAll(async () => {
  // Kafka's own times are 30 s and 5 min
  const settings = { 'log.retention.check.interval.ms': '200', 'log.initial.task.delay.ms': '200' }
  brokers = await startBrokers(28_700, 1, { settings })
  kafka = createKafka({ servers: brokers.config.kafka, clientId: 'old-dates', log: silentLogger })
}, 300_000)
afterAll(async () => brokers?.[Symbol.asyncDispose]())

const extentOf = (topic: string) =>
  withAdmin(kafka, async (admin) => {
    const [partition] = await admin.fetchTopicOffsets(topic)
    return { low: Number(partition?.low), end: Number(partition?.high) }
  })

test('a record that its producer dates to 1970 is kept like any other, and where it is not, a lane that had not read it stops', async () => {
  const ours = topicConfig(topics[0], { ...brokers.config, partitions: 1 }, 1)
  const dated = (ours.configEntries ?? []).map(({ name, value }) =>
    name === 'message.timestamp.type' ? { name, value: 'CreateTime' } : { name, value },
  )
  const others = { ...ours, topic: 'dated-by-producers', configEntries: dated }
  await withAdmin(kafka, (admin) => admin.createTopics({ waitForLeaders: true, topics: [ours, others] }))
  const producer = kafka.producer()
  await producer.connect()
  const send = (topic: string) =>
    producer.send({ topic, messages: [{ key: 'o-1', value: 'an order', timestamp: '1', partition: 0 }] })
  await send(ours.topic)
  // Two checks delete these one after the other, so at least one of them has looked at ours as well
  for (const read of [0, 1]) {
    await send(others.topic)
    const extent = await waitUntil(
      'it is deleted',
      async () => {
        const now = await extentOf(others.topic)
        return now.low > read ? now : undefined
      },
      { withinMs: 120_000 },
    )
    expect(whyLost('orders/0', read, extent)).toBe(
      `orders/0: records from offset ${read} to ${read} were deleted before this group read them`,
    )
  }
  await producer.disconnect()
  expect(await extentOf(ours.topic)).toEqual({ low: 0, end: 1 })
}, 300_000)
