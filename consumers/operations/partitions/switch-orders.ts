import type { Generation } from '../../../infra/topic-generations/generation-table.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import {
  addLanes,
  moveLanesWithSeqs,
  readAllNextSeqs,
  withdrawWaiting,
} from '../../../producers/outbox/lane-generations.ts'
import { readKeys, renumber } from '../../../producers/outbox/outbox-table.ts'
import { laneOf } from '../../../schemas/partition.ts'

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
  const nextSeqs = await readAllNextSeqs(tx)
  const moved = (await readKeys(tx)).map(({ lane, seq, key }) => {
    const toLane = laneOf(key, partitions)
    const toSeq = nextSeqs.get(toLane) ?? 1
    nextSeqs.set(toLane, toSeq + 1)
    return { lane, seq, toLane, toSeq }
  })
  await renumber(tx, moved, number)
  await moveLanesWithSeqs(tx, number, nextSeqs)
  return moved.length
}
