import type { Config } from '../../../infra/config.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { readTopicEnds } from '../lanes/topic-ends.ts'
import type { Group } from '../groups.ts'
import { tilingFaults } from '../tiling.ts'
import type { Span } from '../tiling.ts'

/** What a group's ledger says of all it has read. */
export interface Books {
  readonly taken: number
  /** Repeats it dropped. */
  readonly duplicates: number
  readonly parked: number
  /** Offsets that became nothing, or something twice; none if nothing was lost or doubled. */
  readonly faults: readonly string[]
}

/**
 * Adds up the ledger of a group, and checks that its spans cover all it has read, once. What it has not read yet is no
 * fault: events flow.
 * @throws TallyError UNREACHABLE; errors of pg and kafkajs
 */
export async function readBooks(config: Config, pool: Pool, { schema, topics }: Group): Promise<Books> {
  const { rows } = await pool.query<Span & { topic: string; partition: number }>(
    `select topic, partition, epoch, first_offset as first, next_offset as next, taken, duplicates, ignored, parked, holes,
            replay
     from ${schema}.ledger where topic = any($1)`,
    [[...topics]],
  )
  const ends = await readTopicEnds(config, [...topics], () => false)
  const places = Map.groupBy(rows, ({ topic, partition }) => `${topic}/${partition}`)
  const faults = [...places].flatMap(([place, found]) => {
    const spans = found.map(({ topic: _topic, partition: _partition, ...span }) => span)
    const { topic = '', partition = 0 } = found[0] ?? {}
    const { low = 0, end = 0 } = ends.get(topic)?.get(partition) ?? {}
    const reached = Math.max(...spans.map(({ next }) => next))
    return tilingFaults(place, spans, { low, end: Math.min(end, reached) })
  })
  const sum = (count: (span: Span) => number) => rows.reduce((total, span) => total + count(span), 0)
  return {
    taken: sum(({ taken }) => taken),
    duplicates: sum(({ duplicates }) => duplicates),
    parked: sum(({ parked }) => parked),
    faults,
  }
}

export const emptyBooks: Books = { taken: 0, duplicates: 0, parked: 0, faults: [] }
