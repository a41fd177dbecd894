import type { Statements } from './statement.ts'
import { statement } from './statement.ts'
import { Table } from './transaction.ts'

export interface TimerRow {
  id: string
  lane: number
  key: string
  kind: string
  cause: object
  dueAt: number
}

export const timerTable = () => new Table<TimerRow>('timer')

export const timerStatements = (timers: Table<TimerRow>): Statements => ({
  timer_add: statement(
    'b2f5202b',
    (tx, ids: string[], lanesOf: number[], keys: string[], kinds: string[], causes: string[], afterMs: number[]) => {
      for (const [index, id] of ids.entries()) {
        tx.insert(timers, id, {
          id,
          lane: lanesOf[index] ?? 0,
          key: keys[index] ?? '',
          kind: kinds[index] ?? '',
          cause: JSON.parse(causes[index] ?? '') as object,
          dueAt: tx.now + (afterMs[index] ?? 0),
        })
      }
      return []
    },
  ),

  timer_fired: statement('487794b0', (tx, ids: string[], among: number[]) => {
    const there = ids.filter((id) => among.includes(tx.get(timers, id)?.lane ?? -1))
    for (const id of there) tx.delete(timers, id)
    return there.map((id) => ({ id }))
  }),

  timer_due: statement('acce1a05', (tx, lanes: number[], limit: number) =>
    lanes.flatMap((lane) =>
      tx
        .rows(timers)
        .filter((row) => row.lane === lane && row.dueAt <= tx.now)
        .sort((a, b) => a.dueAt - b.dueAt || (a.id < b.id ? -1 : 1))
        .slice(0, limit),
    ),
  ),
})
