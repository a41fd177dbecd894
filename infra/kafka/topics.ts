import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin, ITopicConfig } from 'kafkajs'
import { TallyError } from '../errors.ts'
import { isLoss } from './admin.ts'

/**
 * Creates topics and waits until every partition has a leader; before that the broker rejects produce and fetch requests.
 * `waitForLeaders` of kafkajs fails when the broker does not know the new topic yet.
 * A request that a broker leaves unanswered is repeated, because the controller may just be lost.
 * @throws TallyError UNREACHABLE when leaders are missing after 15 s
 */
export async function createTopics(admin: Admin, topics: ITopicConfig[]): Promise<void> {
  if (topics.length === 0) return
  const names = topics.map(({ topic }) => topic)
  const deadline = performance.now() + 15_000
  while (!(await created(admin, topics, deadline))) await sleep(100)
  while (!(await haveLeaders(admin, names))) {
    if (performance.now() > deadline)
      throw new TallyError('UNREACHABLE', `Kafka elects no leaders for the new topics ${names.join(', ')}`)
    await sleep(25)
  }
}

/** False if the broker did not answer: the topics may exist or not, and those that do are no error the next time. */
async function created(admin: Admin, topics: ITopicConfig[], deadline: number): Promise<boolean> {
  try {
    await admin.createTopics({ topics, waitForLeaders: false })
    return true
  } catch (error) {
    if (!isLoss(error) || performance.now() > deadline) throw error
    return false
  }
}

async function haveLeaders(admin: Admin, topics: string[]): Promise<boolean> {
  try {
    const metadata = await admin.fetchTopicMetadata({ topics })
    return metadata.topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0))
  } catch (error) {
    if ((error as { type?: string }).type === 'UNKNOWN_TOPIC_OR_PARTITION') return false
    throw error
  }
}
