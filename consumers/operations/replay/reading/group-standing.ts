import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { readPositions } from '../../../runtime/tables/ledger.ts'

/**
 * The group's positions by `topic/partition`; during a redelivery, the positions at which it will resume. Partitions that it
 * never read are missing.
 */
export async function groupStanding(
  tx: Tx,
  places: readonly { readonly topic: string; readonly partition: number }[],
): Promise<Map<string, number>> {
  const standing = new Map<string, number>()
  for (const [lane, ofLane] of Map.groupBy(places, ({ partition }) => partition)) {
    const topics = ofLane.map(({ topic }) => topic)
    for (const { topic, position } of await readPositions(tx, lane, topics))
      standing.set(`${topic}/${lane}`, position.again?.resumeAt ?? position.offset)
  }
  return standing
}
