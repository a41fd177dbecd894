import { readPositions } from '../../runtime/tables/ledger.ts'
import { readPauses } from '../../runtime/tables/pause-table.ts'
import { countUnpublished } from '../../../producers/outbox/outbox-table.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'

/** End offsets of a group's topics, by topic (with generation, without namespace) and partition number. */
export type TopicEnds = ReadonlyMap<string, readonly number[]>

/**
 * Why a group's lanes cannot move to the next generation of the topics yet; undefined if they can. The answer is
 * reliable only if nothing can write to the topics and the transaction holds the locks of all lanes.
 * @param tx sees the consumer's schema
 */
export async function undrained(tx: Tx, ends: TopicEnds): Promise<string | undefined> {
  const [paused] = await readPauses(tx)
  if (paused) return `lane ${paused.lane} is paused (${paused.reason}): resume it first`
  const unread = await unreadPlaces(tx, ends)
  if (unread.length > 0) return `not read to the end: ${unread.join(', ')}`
  const count = await countUnpublished(tx)
  return count > 0 ? `${count} events wait to be published` : undefined
}

async function unreadPlaces(tx: Tx, ends: TopicEnds): Promise<string[]> {
  const unread: string[] = []
  const partitions = Math.max(0, ...[...ends.values()].map(({ length }) => length))
  for (let lane = 0; lane < partitions; lane++) {
    const standing = await readPositions(tx, lane, [...ends.keys()])
    const reached = new Map(standing.map(({ topic, position }) => [topic, position]))
    for (const [topic, { [lane]: end = 0 }] of ends) {
      const { offset = 0, again } = reached.get(topic) ?? {}
      if (again) unread.push(`${topic}/${lane} (replay ${again.replay})`)
      else if (offset < end) unread.push(`${topic}/${lane} (${offset} of ${end})`)
    }
  }
  return unread
}
