import type { Config } from '../../../infra/config.ts'
import { readSpans } from '../../runtime/tables/ledger-account.ts'
import type { Span } from '../../runtime/tables/ledger-account.ts'
import { readSkips } from '../../runtime/tables/skipped-table.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { readTopicEnds } from '../lanes/topic-ends.ts'
import type { Group } from '../groups.ts'
import { tilingFaults } from '../tiling.ts'

/** Totals of a group's ledger. */
export interface LedgerTotals {
  readonly taken: number
  /** Duplicates it dropped. */
  readonly duplicates: number
  readonly parked: number
  /** Offsets without an outcome or with several; none if no event was lost or processed twice. */
  readonly faults: readonly string[]
}

/**
 * Adds up the ledger of a group and checks that its spans cover every offset it has read exactly once. Offsets it has
 * not read yet are no fault.
 * @throws TallyError UNREACHABLE; errors of pg and kafkajs
 */
export async function readLedgerTotals(config: Config, pool: Pool, { schema, topics }: Group): Promise<LedgerTotals> {
  const places = await readSpans(pool, schema, topics)
  const { beginnings } = await readSkips(pool, schema)
  const ends = await readTopicEnds(config, [...topics], () => false)
  const faults = [...places].flatMap(([place, spans]) => {
    const slash = place.lastIndexOf('/')
    const { low = 0, end = 0 } = ends.get(place.slice(0, slash))?.get(Number(place.slice(slash + 1))) ?? {}
    const reached = Math.max(...spans.map(({ next }) => next))
    return tilingFaults(place, spans, { low, end: Math.min(end, reached) }, beginnings.get(place))
  })
  const all = [...places.values()].flat()
  const sum = (count: (span: Span) => number) => all.reduce((total, span) => total + count(span), 0)
  return {
    taken: sum(({ taken }) => taken),
    duplicates: sum(({ duplicates }) => duplicates),
    parked: sum(({ parked }) => parked),
    faults,
  }
}

export const noTotals: LedgerTotals = { taken: 0, duplicates: 0, parked: 0, faults: [] }
