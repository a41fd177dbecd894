import { waitUntil } from '../../../../infra/testing/wait-until.ts'
import { fromHeaders } from '../../../../schemas/envelope.ts'
import { topicName, topics } from '../../../../schemas/topics.ts'
import type { Published, TestBench } from '../test-bench.ts'

/** An event as the consumer published it. */
export interface Publication extends Required<Published> {
  /** Lane that wrote it and its number there: each number is one event. */
  readonly lane: string
  readonly sequence: number
}

/** Follows what a consumer publishes. */
export interface PublicationReader extends AsyncDisposable {
  /** Events since the last call, repeats included, up to the topics' ends. Call while nothing publishes. */
  fresh(): Promise<Publication[]>
}

/** @param group the consumer; events of other publishers are skipped */
export async function readPublications({ sandbox, codec }: TestBench, group: string): Promise<PublicationReader> {
  const { kafka, namespace } = sandbox
  const names = topics.map((topic) => topicName(namespace, topic))
  const admin = kafka.admin()
  const reader = kafka.consumer({ groupId: `${namespace}publications`, maxWaitTimeInMs: 50 })
  await Promise.all([admin.connect(), reader.connect()])
  const next = new Map<string, number>()
  let fresh: Publication[] = []
  await reader.subscribe({ topics: names, fromBeginning: true })
  await reader.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      for (const { headers, value } of batch.messages) {
        const { id, sourceLane, sequence } = fromHeaders(headers)
        if (!id || !sourceLane?.startsWith(`${group}/`) || sequence === undefined) continue
        fresh.push({ ...codec.decode(value), id, lane: sourceLane, sequence })
      }
      next.set(`${batch.topic}/${batch.partition}`, Number(batch.lastOffset()) + 1)
    },
  })
  const ends = async (topic: string) =>
    (await admin.fetchTopicOffsets(topic)).map(
      ({ partition, high }) => [`${topic}/${partition}`, Number(high)] as const,
    )
  return {
    async fresh() {
      const goal = (await Promise.all(names.map(ends))).flat()
      await waitUntil('all that was published is read', () => goal.every(([at, end]) => (next.get(at) ?? 0) >= end))
      const taken = fresh
      fresh = []
      return taken
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([admin.disconnect(), reader.disconnect()])
    },
  }
}
