import { withAdmin } from '../../infra/kafka/admin.ts'
import { openRangeReader } from '../../infra/kafka/read-ranges.ts'
import type { Sandbox } from '../../schemas/testing/sandbox.ts'

export interface TopicContent {
  records: number
  /** Distinct values of the header `ce_id`, or of the key if it is absent. */
  ids: number
  keys: number
}

/** Counts the records of a topic, without aborted transactions. @param topic without namespace */
export async function countTopic(
  { kafka, namespace }: Sandbox,
  topic: string,
  signal: AbortSignal,
): Promise<TopicContent> {
  const name = `${namespace}${topic}`
  const ends = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(name))
  const ranges = ends.map(({ partition, high }) => ({ topic: name, partition, from: 0, to: Number(high) }))
  await using reader = await openRangeReader({ kafka, ranges, signal })
  const [ids, keys] = [new Set<string>(), new Set<string>()]
  let records = 0
  for (const { partition } of ranges) {
    for (let piece = await reader.next(name, partition); piece; piece = await reader.next(name, partition)) {
      for (const { key, headers } of piece.records) {
        const text = String(key)
        keys.add(text)
        ids.add(headers?.['ce_id'] === undefined ? text : String(headers['ce_id']))
      }
      records += piece.records.length
    }
  }
  return { records, ids: ids.size, keys: keys.size }
}
