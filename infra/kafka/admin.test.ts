import { expect, test } from '@jest/globals'
import kafkajs from 'kafkajs'
import type { Admin, Kafka } from 'kafkajs'
import { askKept, keptAdmin, withAdmin } from './admin.ts'

const refusal = (type: string, retriable: boolean) =>
  new kafkajs.KafkaJSProtocolError(Object.assign(new Error(type), { type, code: 6, retriable }))

/** As kafkajs gives up on its own attempts. */
const repeated = (cause: Error) =>
  new kafkajs.KafkaJSNumberOfRetriesExceeded(cause, Object.assign({ retryCount: 3, retryTime: 500 }, { cause }))

/** A broker that answers a question about offsets with these errors first. */
function brokerRefusing(...refusals: Error[]) {
  const left = [...refusals]
  const clients = { made: 0, open: 0 }
  const admin = {
    connect: async () => void clients.open++,
    disconnect: async () => void clients.open--,
    fetchTopicOffsets: async (topic: string) => {
      const error = left.shift()
      if (error) throw error
      return [{ topic, partition: 0, offset: '7', high: '7', low: '0' }]
    },
  } as unknown as Admin
  const kafka = { admin: () => (clients.made++, admin) }
  return { kafka: kafka as unknown as Kafka, clients }
}

const offsets = (kafka: Kafka) => withAdmin(kafka, (admin) => admin.fetchTopicOffsets('orders'))

test('a question that a broker refuses for the moment is asked again, each time by a new client', async () => {
  const { kafka, clients } = brokerRefusing(
    refusal('NOT_LEADER_FOR_PARTITION', true),
    refusal('LEADER_NOT_AVAILABLE', true),
    repeated(refusal('LEADER_NOT_AVAILABLE', true)),
    new TypeError("Cannot read properties of undefined (reading 'partitions')"), // The topic is too new for this broker
  )
  expect(await offsets(kafka)).toMatchObject([{ high: '7' }])
  expect(clients).toEqual({ made: 5, open: 0 })
})

test('a refusal for good, and a failure that is no answer of the broker, are told at once', async () => {
  for (const error of [refusal('TOPIC_AUTHORIZATION_FAILED', false), new Error('connect ECONNREFUSED')]) {
    const { kafka, clients } = brokerRefusing(error)
    await expect(offsets(kafka)).rejects.toBe(error)
    expect(clients).toEqual({ made: 1, open: 0 })
  }
})

test('a kept client answers again and again, and is replaced when it meets a broker that refuses or is lost', async () => {
  const { kafka, clients } = brokerRefusing()
  const kept = keptAdmin(kafka)
  const ask = () => askKept(kept, (admin) => admin.fetchTopicOffsets('orders'))
  expect([await ask(), await ask()]).toMatchObject([[{ high: '7' }], [{ high: '7' }]])
  expect(clients).toEqual({ made: 1, open: 1 })
  kept.close()

  const refusing = brokerRefusing(refusal('NOT_LEADER_FOR_PARTITION', true))
  const other = keptAdmin(refusing.kafka)
  expect(await askKept(other, (admin) => admin.fetchTopicOffsets('orders'))).toMatchObject([{ high: '7' }])
  expect(refusing.clients).toEqual({ made: 2, open: 1 })
  other.close()
})
