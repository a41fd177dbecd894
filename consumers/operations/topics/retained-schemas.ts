import type { Config } from '../../../infra/config.ts'
import { connectKafka } from '../../../infra/kafka/command-client.ts'
import { openRangeReader } from '../../../infra/kafka/read-ranges.ts'
import { schemaIdOf } from '../../../schemas/codec/framing.ts'
import { inGeneration, topics } from '../../../schemas/topics.ts'
import { readExtents } from '../replay/plan/read-extents.ts'

/** Records of a topic that were written with one schema and that retention has not deleted yet. */
export interface RetainedSchema {
  /** Without namespace. */
  readonly topic: string
  /** Null for records without a schema id. */
  readonly schemaId: number | null
  readonly records: number
  /** Timestamps of the records, UTC epoch ms. */
  readonly oldestAt: number
  readonly newestAt: number
}

/**
 * Reads all topics from end to end and counts the records of each schema id. No position moves.
 * @throws TallyError UNREACHABLE; EVENTS_GONE if retention overtakes the reading; the signal's reason
 */
export async function readRetainedSchemas(
  config: Config,
  { signal, onProgress }: { signal: AbortSignal; onProgress?(offsets: number, all: number): void },
): Promise<RetainedSchema[]> {
  const kafka = connectKafka('console', config)
  const names = topics.map(({ name }) => inGeneration(name, config.generation))
  const extents = await readExtents({ kafka, config }, names)
  const all = extents.reduce((sum, { low, end }) => sum + end - low, 0)
  const ranges = extents.map(({ topic, partition, low, end }) => ({
    ...{ topic: `${config.namespace}${topic}`, partition, from: low, to: end },
  }))
  const found = new Map<string, { -readonly [Name in keyof RetainedSchema]: RetainedSchema[Name] }>()
  let done = 0
  await using reader = await openRangeReader({ kafka, ranges, signal, bufferBytes: 2 ** 23 })
  await Promise.all(
    extents.map(async ({ topic, partition, low }) => {
      let from = low
      const name = `${config.namespace}${topic}`
      for (let piece = await reader.next(name, partition); piece; piece = await reader.next(name, partition)) {
        for (const { value, timestamp } of piece.records) {
          const schemaId = schemaIdOf(value) ?? null
          const at = Number(timestamp)
          const known = found.get(`${topic}/${schemaId}`)
          if (!known) found.set(`${topic}/${schemaId}`, { topic, schemaId, records: 1, oldestAt: at, newestAt: at })
          else {
            known.records++
            known.oldestAt = Math.min(known.oldestAt, at)
            known.newestAt = Math.max(known.newestAt, at)
          }
        }
        done += piece.to - from
        from = piece.to
        onProgress?.(done, all)
      }
    }),
  )
  return [...found.values()].toSorted(
    (a, b) => a.topic.localeCompare(b.topic) || (a.schemaId ?? -1) - (b.schemaId ?? -1),
  )
}
