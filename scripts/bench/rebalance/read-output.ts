import { withAdmin } from '../../../infra/kafka/admin.ts'
import { openRangeReader } from '../../../infra/kafka/read-ranges.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import type { LaneTimes } from './longest-pause.ts'

export interface Output {
  /** Publication times by lane. */
  readonly times: ReadonlyMap<number, LaneTimes>
  readonly records: number
  readonly keys: number
}

/** Reads the publication times of each lane, by the clock of the publisher. @param topic without namespace */
export async function readOutput(
  { kafka, namespace }: Pick<Sandbox, 'kafka' | 'namespace'>,
  topic: string,
  signal: AbortSignal,
): Promise<Output> {
  const name = `${namespace}${topic}`
  const ends = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(name))
  const ranges = ends.map(({ partition, high }) => ({ topic: name, partition, from: 0, to: Number(high) }))
  await using reader = await openRangeReader({ kafka, ranges, signal })
  const times = new Map<number, LaneTimes>()
  const keys = new Set<string>()
  for (const { partition } of ranges) {
    const own: number[] = []
    for (let piece = await reader.next(name, partition); piece; piece = await reader.next(name, partition)) {
      for (const { key, timestamp } of piece.records) {
        keys.add(String(key))
        own.push(Number(timestamp))
      }
    }
    times.set(
      partition,
      own.sort((a, b) => a - b),
    )
  }
  return { times, records: [...times.values()].reduce((sum, own) => sum + own.length, 0), keys: keys.size }
}
