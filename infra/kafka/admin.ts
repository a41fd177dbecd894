import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin, Kafka } from 'kafkajs'

/** Delays before retries, ms: about five seconds in total, the time that an election takes. */
const pausesMs = [50, 100, 200, 400, 800, 1_000, 1_000, 1_000]

/**
 * Runs one piece of work with an admin client of its own.
 *
 * kafkajs does not repeat a question about offsets when the broker asks it to: for a moment after a topic was created, or
 * while a leader moves, the answer is NOT_LEADER_OR_FOLLOWER. Such questions are repeated here.
 */
export async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin()
  try {
    await admin.connect()
    return await work({
      ...admin,
      fetchTopicOffsets: (topic) => patiently(kafka, admin, (asked) => asked.fetchTopicOffsets(topic)),
      fetchTopicOffsetsByTimestamp: (topic, timestamp) =>
        patiently(kafka, admin, (asked) => asked.fetchTopicOffsetsByTimestamp(topic, timestamp)),
    })
  } finally {
    await admin.disconnect()
  }
}

async function patiently<T>(kafka: Kafka, admin: Admin, ask: (admin: Admin) => Promise<T>): Promise<T> {
  let asking = () => ask(admin)
  for (const pauseMs of pausesMs) {
    try {
      return await asking()
    } catch (error) {
      if (!isRefusalForNow(error)) throw error
      await sleep(pauseMs)
      asking = () => withNewAdmin(kafka, ask) // A client keeps what it knows of leaders for minutes
    }
  }
  return await asking()
}

async function withNewAdmin<T>(kafka: Kafka, ask: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin()
  try {
    await admin.connect()
    return await ask(admin)
  } finally {
    await admin.disconnect()
  }
}

/** Whether the broker answered with an error of which the protocol says that asking again may help. */
const isRefusalForNow = (error: unknown): boolean =>
  error instanceof Error &&
  error.name === 'KafkaJSProtocolError' &&
  (error as { retriable?: boolean }).retriable === true
