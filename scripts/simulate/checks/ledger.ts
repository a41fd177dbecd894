import { spanOf, sumOf } from '../database/ledger-statements.ts'
import type { World } from '../world.ts'

/**
 * The spans of each partition follow one another without gaps or overlaps, and account for each offset. Spans of replays lie
 * within what was processed before.
 */
export function checkLedger({ broker, partitions, database: { tables } }: World): string[] {
  const found: string[] = []
  for (const topic of broker.topics) {
    for (let partition = 0; partition < partitions; partition++) {
      const place = `${topic}/${partition}`
      const spans = [...tables.ledger.committed.values()]
        .filter((row) => row.topic === topic && row.partition === partition)
        .sort((a, b) => a.epoch - b.epoch)
      let position = 0
      for (const span of spans) {
        if (spanOf(span) !== sumOf(span))
          found.push(`${place}: the span of epoch ${span.epoch} does not account for every offset`)
        if (span.again_until !== null) {
          if (span.next_offset > Math.min(span.again_until, position))
            found.push(`${place}: processed again up to ${span.next_offset}, beyond ${position} or ${span.again_until}`)
          continue
        }
        if (span.first_offset !== position)
          found.push(`${place}: a span begins at ${span.first_offset}, not ${position}`)
        position = span.next_offset
      }
      for (const { topic: of, partition: at, from, to } of tables.skipped.committed.values())
        if (
          of === topic &&
          at === partition &&
          !spans.some((row) => row.first_offset === from && row.holes >= to - from)
        )
          found.push(`${place}: offsets ${from} to ${to - 1} were skipped, and the ledger does not say so`)
      if (position > broker.end(topic, partition)) found.push(`${place}: processed beyond its end`)
    }
  }
  return found
}
