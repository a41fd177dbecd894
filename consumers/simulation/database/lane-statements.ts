import type { Statements } from './statement.ts'
import { statement } from './statement.ts'
import { Table } from './transaction.ts'

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
      tx.owns = { lane, epoch: row.epoch + 1 }
      return [{ epoch: row.epoch + 1 }]
    },
  ),

  lane_lock: statement('54539fa2', (tx, lane: number, epoch: number) => {
    tx.lock(lanes, String(lane))
    const row = tx.get(lanes, String(lane))
    if (row?.epoch !== epoch) return []
    tx.owns = { lane, epoch }
    return [{ next_seq: row.next_seq }]
  }),

  lane_advance: statement('003c44f5', (tx, lane: number, count: number) => {
    const row = tx.get(lanes, String(lane))
    if (row) tx.put(lanes, String(lane), { ...row, next_seq: row.next_seq + count })
    return []
  }),
})
