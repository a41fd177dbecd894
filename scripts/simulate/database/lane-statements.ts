import type { Statements } from './statement.ts'
import { databaseError, statement } from './statement.ts'
import { Blocked, Table } from './transaction.ts'
import type { Transaction } from './transaction.ts'

export interface LaneRow {
  lane: number
  epoch: number
  next_seq: number
  owner: string
}

export const laneTable = () => new Table<LaneRow>('lane')

export const laneStatements = (lanes: Table<LaneRow>): Statements => ({
  lane_raise: statement(
    '6e7097b9',
    (tx, lane: number, owner: string, heldEpoch: number | null, _generation: number | null) => {
      tx.lock(lanes, String(lane))
      const row = tx.get(lanes, String(lane)) ?? { lane, epoch: 0, next_seq: 1, owner }
      if (row.epoch > 0 && heldEpoch !== null && heldEpoch !== row.epoch) return []
      tx.put(lanes, String(lane), { ...row, epoch: row.epoch + 1, owner })
      tx.owned.set(lane, row.epoch + 1)
      return [{ epoch: row.epoch + 1 }]
    },
  ),

  lane_lock: statement('54539fa2', (tx, lane: number, epoch: number) => {
    tx.lock(lanes, String(lane))
    const row = tx.get(lanes, String(lane))
    if (row?.epoch !== epoch) return []
    tx.owned.set(lane, epoch)
    return [{ next_seq: row.next_seq }]
  }),

  lane_lock_several: statement('f33dffee', (tx, numbers: number[], epochs: number[]) =>
    numbers.flatMap((lane, index) => {
      const epoch = epochs[index] ?? 0
      if (tx.get(lanes, String(lane))?.epoch !== epoch) return []
      lockNow(tx, lanes, String(lane))
      tx.owned.set(lane, epoch)
      return [{ lane, next_seq: tx.get(lanes, String(lane))?.next_seq }]
    }),
  ),

  lanes_advance: statement('b212d268', (tx, numbers: number[], counts: number[]) => {
    for (const [index, lane] of numbers.entries()) {
      const row = tx.get(lanes, String(lane))
      if (row) tx.put(lanes, String(lane), { ...row, next_seq: row.next_seq + (counts[index] ?? 0) })
    }
    return []
  }),
})

/** `nowait`. */
function lockNow(tx: Transaction, table: Table, key: string): void {
  try {
    tx.lock(table, key)
  } catch (error) {
    throw error instanceof Blocked ? databaseError('55P03', `could not obtain lock on row of "${table.name}"`) : error
  }
}
