import { openRangeReader } from '../../../../infra/kafka/read-ranges.ts'
import { isTallyError } from '../../../../infra/errors.ts'
import type { Config } from '../../../../infra/config.ts'
import { connectKafka } from '../../../../infra/kafka/command-client.ts'
import type { KeyShare } from './measurement.ts'
import type { LaneLoad } from '../consumer-load.ts'

/** Number of unread records examined per topic of a lane. */
const sampled = 2_000
/** Fewer records do not show which key is heaviest. */
const least = 20

/**
 * The most frequent key among a lane's next unread records; undefined if few are unread. Reads without joining the
 * group.
 * @throws TallyError UNREACHABLE
 */
export async function heaviestKey(
  config: Config,
  { lane, health }: LaneLoad,
  signal: AbortSignal,
): Promise<KeyShare | undefined> {
  const ranges = health.topics
    .filter(({ position, end = 0 }) => position < end)
    .map(({ topic, position, end = 0 }) => ({
      topic: `${config.namespace}${topic}`,
      partition: lane,
      from: position,
      to: Math.min(end, position + sampled),
    }))
  if (ranges.length === 0) return undefined
  const kafka = connectKafka('scale', config)
  await using reader = await openRangeReader({ kafka, ranges, signal, bufferBytes: 2 ** 22 })
  const counts = new Map<string, number>()
  try {
    for (const { topic, partition } of ranges)
      for (let piece = await reader.next(topic, partition); piece; piece = await reader.next(topic, partition))
        for (const { key } of piece.records) {
          const name = key?.toString() ?? ''
          counts.set(name, (counts.get(name) ?? 0) + 1)
        }
  } catch (error) {
    if (!isTallyError(error, 'EVENTS_GONE')) throw error // The records read before that suffice
  }
  return mostFrequent(lane, counts)
}

function mostFrequent(lane: number, counts: ReadonlyMap<string, number>): KeyShare | undefined {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  if (total < least) return undefined
  const [key, count] = [...counts].reduce((most, each) => (each[1] > most[1] ? each : most))
  return { lane, key, share: count / total }
}
