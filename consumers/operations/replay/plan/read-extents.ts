import type { Admin } from 'kafkajs'
import { TallyError } from '../../../../infra/errors.ts'
import { withAdmin } from '../../../../infra/kafka/admin.ts'
import { existingTopics } from '../../../../infra/kafka/reading/existing-topics.ts'
import type { ReplayContext } from '../mode.ts'

/** A partition on the broker: its first offset, and the offset after its last. */
export interface PartitionExtent {
  /** Without namespace. */
  readonly topic: string
  readonly partition: number
  readonly low: number
  readonly end: number
  /** For each requested time, the offset of the first record that is not older; the end if there is none. */
  readonly notOlder: readonly number[]
}

/**
 * @param topics without namespace
 * @param times UTC epoch ms
 * @throws TallyError USAGE if there is no such topic
 */
export const readExtents = (
  { kafka, config: { namespace } }: Pick<ReplayContext, 'kafka' | 'config'>,
  topics: readonly string[],
  times: readonly number[] = [],
): Promise<PartitionExtent[]> =>
  withAdmin(kafka, async (admin) => {
    await refuseMissing(kafka, admin, { namespace, topics })
    return (await Promise.all(topics.map((topic) => extentsOf(admin, namespace, topic, times)))).flat()
  })

async function refuseMissing(
  kafka: ReplayContext['kafka'],
  admin: Admin,
  { namespace, topics }: { namespace: string; topics: readonly string[] },
): Promise<void> {
  const names = topics.map((topic) => `${namespace}${topic}`)
  const existing = await existingTopics(kafka, admin, names)
  const missing = topics.filter((topic) => !existing.has(`${namespace}${topic}`))
  if (missing.length === 0) return
  const own = [...existing].filter((name) => name.startsWith(namespace) && !name.startsWith('__'))
  const there = own.map((name) => name.slice(namespace.length)).sort()
  throw new TallyError('USAGE', `there is no topic ${missing.join(', ')}: there are ${there.join(', ') || 'none'}`)
}

async function extentsOf(
  admin: Admin,
  namespace: string,
  topic: string,
  times: readonly number[],
): Promise<PartitionExtent[]> {
  const name = `${namespace}${topic}`
  const [offsets, ...notOlder] = await Promise.all([
    admin.fetchTopicOffsets(name),
    ...times.map((time) => admin.fetchTopicOffsetsByTimestamp(name, time)),
  ])
  const found = notOlder.map((ofTime) => new Map(ofTime.map(({ partition, offset }) => [partition, Number(offset)])))
  return offsets
    .map(({ partition, low, high }) => ({
      topic,
      partition,
      low: Number(low),
      end: Number(high),
      notOlder: found.map((ofTime) => Math.min(ofTime.get(partition) ?? Number(high), Number(high))),
    }))
    .sort((a, b) => a.partition - b.partition)
}
