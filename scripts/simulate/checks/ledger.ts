import { spanOf, sumOf } from '../database/ledger-statements.ts'
import type { World } from '../world.ts'

/**
 * The spans of each partition follow one another without gap or overlap, and each offset became something. Spans of replays
 * lie over what was taken before.
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
          found.push(`${place}: not every offset of epoch ${span.epoch} became something`)
        if (span.again_until !== null) {
          if (span.next_offset > Math.min(span.again_until, position))
            found.push(`${place}: taken again up to ${span.next_offset}, beyond ${position} or ${span.again_until}`)
          continue
        }
        if (span.first_offset !== position)
          found.push(`${place}: a span begins at ${span.first_offset}, not ${position}`)
        position = span.next_offset
      }
      if (position > broker.end(topic, partition)) found.push(`${place}: taken beyond its end`)
    }
  }
  return found
}
