import type { Generation } from '../../../infra/topic-generations/generation-table.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import {
  addLanes,
  moveLanesWithSeqs,
  readAllNextSeqs,
  withdrawWaiting,
} from '../../../producers/outbox/lane-generations.ts'
import { eventsOf, numberEvents } from '../../../producers/outbox/outbox-batch.ts'
import { appendOutbox, readLane, removePublished } from '../../../producers/outbox/outbox-table.ts'
import type { SeqRange } from '../../../producers/outbox/outbox-table.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { withoutGeneration } from '../../../schemas/topics.ts'

/**
 * Moves the orders API to the next generation of the topics within the transaction. Events that wait in its outbox
 * move, in order, to the lane of their key under the new count and get that lane's next numbers; their old numbers are
 * recorded as withdrawn.
 *
 * No number is assigned twice: a frozen process may still delete the rows up to a number of the old lane, and must not
 * delete another event.
 * @param tx sees the API's schema and holds the locks of all its lanes and of the outbox
 * @returns how many events have a new number
 */
export async function switchOrders(tx: Tx, { number, partitions }: Generation): Promise<number> {
  await addLanes(tx, partitions)
  await withdrawWaiting(tx, number)
  const before = await readAllNextSeqs(tx)
  const nextSeqs = new Map(before)
  const moved = new Map<number, SeqRange>()
  let events = 0
  for (const [lane, end] of before) {
    for await (const batch of readLane(tx, lane)) {
      if (batch.first >= end) break // Has just been moved here
      for (const [toLane, own] of Map.groupBy(eventsOf(batch), ({ key }) => laneOf(key, partitions))) {
        const firstSeq = nextSeqs.get(toLane) ?? 1
        const unnumbered = own.map((event) => ({ ...event, topic: withoutGeneration(event.topic) }))
        await appendOutbox(
          tx,
          numberEvents(unnumbered, { writer: 'orders-api', lane: toLane, firstSeq, generation: number }),
        )
        nextSeqs.set(toLane, firstSeq + own.length)
      }
      events += batch.count
      moved.set(lane, { first: 1, last: batch.last })
    }
  }
  if (moved.size > 0) await removePublished(tx, moved)
  await moveLanesWithSeqs(tx, number, nextSeqs)
  return events
}
