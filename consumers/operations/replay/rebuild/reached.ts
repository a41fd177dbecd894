import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { firstParkedOffsets } from '../../../runtime/tables/parked-figures.ts'
import { groupStanding } from '../reading/group-standing.ts'
import type { FoldPosition } from './fold-tables.ts'

/**
 * The settled prefix of each range: what the group has read, up to the first parked event. A parked event may still be dropped
 * or edited.
 * @param standing how far the group has read, if known already
 */
export async function reached(
  tx: Tx,
  places: readonly FoldPosition[],
  standing?: ReadonlyMap<string, number>,
): Promise<FoldPosition[]> {
  const read = standing ?? (await groupStanding(tx, places))
  // Read after the positions: events that left meanwhile are decided, events that came lie beyond
  const parked = await firstParkedOffsets(tx)
  return places.map(({ topic, partition }) => {
    const place = `${topic}/${partition}`
    return { topic, partition, next: Math.min(read.get(place) ?? 0, parked.get(place) ?? Infinity) }
  })
}
