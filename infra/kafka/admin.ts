import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin, Kafka } from 'kafkajs'
import { Kept } from './kept.ts'

/** Delays before retries, ms: about eight seconds in total, the time in which a lost broker is fenced and replaced. */
const pausesMs = [50, 100, 200, 400, 800, 1_000, 1_000, 1_000, 1_500, 2_000]

/**
 * Runs one piece of work with an admin client of its own.
 *
 * kafkajs does not repeat a question about offsets when the broker asks it to: for a moment after a topic was created, or
 * while a leader moves, the answer is NOT_LEADER_OR_FOLLOWER. Nor does it ask another broker when the one it knows is lost.
 * Such questions are repeated here, with a new client each time.
 * @throws kafkajs' errors; at once if no broker can be reached
 */
export async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin()
  try {
    await admin.connect()
    return await work({
      ...admin,
      describeCluster: () => patiently(kafka, admin, (asked) => asked.describeCluster()),
      listTopics: () => patiently(kafka, admin, (asked) => asked.listTopics()),
      fetchTopicMetadata: (options) => patiently(kafka, admin, (asked) => asked.fetchTopicMetadata(options)),
      fetchTopicOffsets: (topic) => patiently(kafka, admin, (asked) => asked.fetchTopicOffsets(topic)),
      fetchTopicOffsetsByTimestamp: (topic, timestamp) =>
        patiently(kafka, admin, (asked) => asked.fetchTopicOffsetsByTimestamp(topic, timestamp)),
    })
  } finally {
    await admin.disconnect()
  }
}

/** Asks over the kept client, and as `withAdmin` over new ones when that fails for the moment. */
export const askKept = <T>(kept: Kept<Admin>, ask: (admin: Admin) => Promise<T>): Promise<T> =>
  whileLeadersMove(() => kept.use(ask))

export const keptAdmin = (kafka: Kafka): Kept<Admin> =>
  new Kept(
    async () => {
      const admin = kafka.admin()
      try {
        await connecting(admin.connect())
        return admin
      } catch (error) {
        void admin.disconnect().catch(() => {})
        throw error
      }
    },
    (admin) => admin.disconnect(),
  )

function patiently<T>(kafka: Kafka, admin: Admin, ask: (admin: Admin) => Promise<T>): Promise<T> {
  let asking = () => ask(admin)
  return whileLeadersMove(() => {
    const answer = asking()
    asking = () => withNewAdmin(kafka, ask) // A client keeps what it knows of leaders for minutes
    return answer
  })
}

/**
 * Asks again while a broker refuses for the moment or is lost, for about eight seconds.
 * @param ask with a new client each time; marks the error of its connection with `connecting`
 * @throws what it throws
 */
export async function whileLeadersMove<T>(ask: () => Promise<T>): Promise<T> {
  for (const pauseMs of pausesMs) {
    try {
      return await ask()
    } catch (error) {
      if (!isRefusalForNow(error) && !isLoss(error)) throw error
      await sleep(pauseMs)
    }
  }
  return ask()
}

/** When no broker at all could be connected to: nothing is gained by asking again. */
const unconnected = new WeakSet<object>()

/** Awaits the first connection of a client. @throws what it throws, which is then no loss of one broker among several */
export async function connecting(connection: Promise<void>): Promise<void> {
  try {
    await connection
  } catch (error) {
    if (error instanceof Error) unconnected.add(error)
    throw error
  }
}

async function withNewAdmin<T>(kafka: Kafka, ask: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin()
  try {
    await connecting(admin.connect())
    return await ask(admin)
  } finally {
    await admin.disconnect()
  }
}

/**
 * Whether the broker answered with an error of which the protocol says that asking again may help, or did not know the
 * topic yet: kafkajs then asks about no partitions and trips over its own answer with a TypeError.
 */
const isRefusalForNow = (error: unknown): boolean => error instanceof TypeError || isRetriableAnswer(error)

/** Also when kafkajs has repeated the question itself, and says so around the answer. */
const isRetriableAnswer = (error: unknown): boolean =>
  error instanceof Error &&
  ((error.name === 'KafkaJSProtocolError' && (error as { retriable?: boolean }).retriable === true) ||
    isRetriableAnswer(error.cause))

const losses = new Set(['KafkaJSConnectionError', 'KafkaJSConnectionClosedError', 'KafkaJSRequestTimeoutError'])

/** Whether the broker that was asked is lost while others may live. */
export const isLoss = (error: unknown): boolean =>
  error instanceof Error &&
  !unconnected.has(error) &&
  (losses.has(error.name) || error.message === 'Broker not connected' || isLoss(error.cause))
