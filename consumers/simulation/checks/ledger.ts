import { spanOf, sumOf } from '../database/ledger-statements.ts'
import type { World } from '../world.ts'

/** The spans of each partition follow one another without gap or overlap, and each offset became something. */
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
        if (span.first_offset !== position)
          found.push(`${place}: a span begins at ${span.first_offset}, not ${position}`)
        if (spanOf(span) !== sumOf(span))
          found.push(`${place}: not every offset of epoch ${span.epoch} became something`)
        position = span.next_offset
      }
      if (position > broker.end(topic, partition)) found.push(`${place}: taken beyond its end`)
    }
  }
  return found
}
