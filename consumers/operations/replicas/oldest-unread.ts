import type { Config } from '../../../infra/config.ts'
import { isTallyError } from '../../../infra/errors.ts'
import { openRangeReader } from '../../../infra/kafka/read-ranges.ts'
import { connectKafka } from '../../../infra/kafka/command-client.ts'

/** The next record of a lane in one of its topics; topic without namespace. */
export interface Place {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/**
 * When the records at these places were written, UTC epoch ms, by `topic/partition`. A place without a record, or one that
 * retention has emptied, is missing.
 * @throws TallyError UNREACHABLE
 */
export async function writtenAt(
  config: Config,
  places: readonly Place[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>()
  if (places.length === 0) return found
  const ranges = places.map(({ topic, partition, offset }) => ({
    topic: `${config.namespace}${topic}`,
    partition,
    from: offset,
    to: offset + 1,
  }))
  await using reader = await openRangeReader({
    kafka: connectKafka('scale', config),
    ranges,
    signal,
    bufferBytes: places.length * 2 ** 16,
  })
  try {
    for (const [index, { topic, partition }] of places.entries()) {
      const piece = await reader.next(ranges[index]?.topic ?? topic, partition)
      const [record] = piece?.records ?? []
      if (record) found.set(`${topic}/${partition}`, Number(record.timestamp))
    }
  } catch (error) {
    if (!isTallyError(error, 'EVENTS_GONE')) throw error
  }
  return found
}
