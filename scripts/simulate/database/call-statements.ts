import type { LaneRow } from './lane-statements.ts'
import type { Statements } from './statement.ts'
import { statement } from './statement.ts'
import { Table } from './transaction.ts'

export interface CallRow {
  id: string
  lane: number
  key: string
  kind: string
  request: object
  cause: object
  attempts: number
  nextAttemptAt: number
}

export const callTable = () => new Table<CallRow>('call')

export const callStatements = (calls: Table<CallRow>, lanes: Table<LaneRow>): Statements => ({
  call_add: statement(
    '800e56c9',
    (tx, ids: string[], lanesOf: number[], keys: string[], kinds: string[], requests: string[], causes: string[]) => {
      for (const [index, id] of ids.entries()) {
        tx.insert(calls, id, {
          id,
          lane: lanesOf[index] ?? 0,
          key: keys[index] ?? '',
          kind: kinds[index] ?? '',
          request: JSON.parse(requests[index] ?? '') as object,
          cause: JSON.parse(causes[index] ?? '') as object,
          attempts: 0,
          nextAttemptAt: tx.now,
        })
      }
      return []
    },
  ),

  call_answered: statement('4c6dd009', (tx, ids: string[], among: number[]) => {
    const there = ids.filter((id) => among.includes(tx.get(calls, id)?.lane ?? -1))
    for (const id of there) tx.delete(calls, id)
    return there.map((id) => ({ id }))
  }),

  call_read: statement(
    '66ae1c7a',
    (tx, lane: number, known: string[], limit: number, denied: string[], characters: number) => {
      let before = 0
      return tx
        .rows(calls)
        .filter((row) => row.lane === lane && !known.includes(row.id) && !denied.includes(row.kind))
        .sort((a, b) => a.nextAttemptAt - b.nextAttemptAt || (a.id < b.id ? -1 : 1))
        .slice(0, limit)
        .filter(({ request }) => {
          const own = JSON.stringify(request).length
          before += own
          return before - own < characters
        })
        .map((row) => ({
          ...row,
          characters: JSON.stringify(row.request).length,
          waitMs: Math.max(0, Math.trunc(row.nextAttemptAt - tx.now)),
        }))
    },
  ),

  call_failed: statement(
    '5767aa0e',
    (tx, id: string, lane: number, epoch: number, attempts: number, _error: string, retryInMs: number) => {
      const row = tx.get(calls, id)
      if (row?.lane !== lane || tx.get(lanes, String(lane))?.epoch !== epoch) return []
      tx.put(calls, id, { ...row, attempts, nextAttemptAt: tx.now + retryInMs })
      return []
    },
  ),
})
