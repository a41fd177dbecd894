import { readPositions } from '../../runtime/tables/ledger.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'

/** Where each partition of the topics a group reads ends, by topic (with generation, without namespace) and partition number. */
export type TopicEnds = ReadonlyMap<string, readonly number[]>

/**
 * What a group still has to do with a generation of the topics before its lanes can move to the next; undefined if nothing
 * is left. Final only if nobody can write to the topics any more and the transaction holds the locks of all lanes.
 * @param tx sees the consumer's schema
 */
export async function undrained(tx: Tx, ends: TopicEnds): Promise<string | undefined> {
  const { rows: paused } = await tx.query<{ lane: number; reason: string }>('select * from pause order by lane limit 1')
  if (paused[0]) return `lane ${paused[0].lane} is paused (${paused[0].reason}): resume it first`
  const unread = await unreadPlaces(tx, ends)
  if (unread.length > 0) return `not read to the end: ${unread.join(', ')}`
  const { rows: waiting } = await tx.query<{ count: number }>('select count(*) as count from outbox')
  const count = waiting[0]?.count ?? 0
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
