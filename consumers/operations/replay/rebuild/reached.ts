import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { prepared } from '../../../../infra/postgres/transaction.ts'
import { groupStanding } from '../reading/group-standing.ts'
import type { FoldPosition } from './fold-tables.ts'

const firstParked = prepared<{ topic: string; partition: number; first: number }>(
  'rebuild_first_parked',
  `select topic, partition, min("offset") as first from parked where source = 'record' group by topic, partition`,
)
const countParked = prepared<{ events: number }>('rebuild_parked', 'select count(*) as events from parked')

export const parkedEvents = async (tx: Tx): Promise<number> => (await countParked(tx))[0]?.events ?? 0

/**
 * What of these ranges has become of them what will: how far the group has read, but for what is parked and what follows of
 * it. Of an event that is parked nobody knows yet whether it takes effect, or with other bytes.
 * @param standing how far the group has read, where that is known already
 */
export async function reached(
  tx: Tx,
  places: readonly FoldPosition[],
  standing?: ReadonlyMap<string, number>,
): Promise<FoldPosition[]> {
  const read = standing ?? (await groupStanding(tx, places))
  // Read later: what has left meanwhile is decided, what has come lies beyond
  const parked = new Map((await firstParked(tx)).map((row) => [`${row.topic}/${row.partition}`, row.first]))
  return places.map(({ topic, partition }) => {
    const place = `${topic}/${partition}`
    return { topic, partition, next: Math.min(read.get(place) ?? 0, parked.get(place) ?? Infinity) }
  })
}
