import type { Admin, Kafka } from 'kafkajs'

/**
 * Which of the topics exist. Kafka lists only those that the user may see; others are asked for by name, because only then
 * does it say that a right is missing.
 * @throws KafkaJSProtocolError TOPIC_AUTHORIZATION_FAILED if the user may not see one of them
 */
export async function existingTopics(kafka: Kafka, admin: Admin, names: readonly string[]): Promise<Set<string>> {
  const listed = new Set(await admin.listTopics())
  const unlisted = names.filter((name) => !listed.has(name))
  if (unlisted.length > 0) await refuseHidden(kafka, unlisted)
  return listed
}

async function refuseHidden(kafka: Kafka, names: readonly string[]): Promise<void> {
  const admin = kafka.admin({ retry: { retries: 0 } }) // kafkajs would wait for a topic to appear
  await admin.connect()
  try {
    for (const name of names)
      await admin.fetchTopicMetadata({ topics: [name] }).catch((error: { type?: unknown }) => {
        if (error.type === 'TOPIC_AUTHORIZATION_FAILED') throw error
      })
  } finally {
    await admin.disconnect()
  }
}
