import type { Statements } from './statement.ts'
import { checkViolation, statement } from './statement.ts'
import { Table } from './transaction.ts'

/** Everything that took effect for a key, in order. */
export interface HistoryRow {
  key: string
  history: readonly string[]
}

/** The row that all lanes change: the number of placed orders. */
export interface TotalRow {
  id: string
  total: number
}

export const historyTable = () => new Table<HistoryRow>('history')
export const totalTable = () => new Table<TotalRow>('total')

/** What the database refuses. */
export interface Refusals {
  /** Whether it refuses a row. */
  refuses(history: readonly string[]): boolean
  /** Whether it refuses to look up more than one place in one statement, for which a redelivery must be split. */
  refusesPlaces(): boolean
}

export const countingStatements = (
  histories: Table<HistoryRow>,
  totals: Table<TotalRow>,
  refusals: Refusals,
): Statements => ({
  history_load: statement('c51f15e1', (tx, keys: string[]) =>
    keys.map((key) => tx.get(histories, key)).filter((row) => row !== undefined),
  ),

  history_save: statement('2febbec6', (tx, keys: string[], texts: string[]) => {
    for (const [index, key] of keys.entries()) {
      const row = { key, history: JSON.parse(texts[index] ?? '') as string[] }
      if (refusals.refuses(row.history)) throw checkViolation('history', row)
      tx.put(histories, key, row)
    }
    return []
  }),

  total_lock: statement('8b6189f5', (tx, ids: string[]) =>
    [...ids].sort().flatMap((id) => {
      tx.lock(totals, id)
      return tx.get(totals, id) ?? []
    }),
  ),

  total_save: statement('085bdc2e', (tx, ids: string[], counts: number[]) => {
    for (const [index, id] of ids.entries()) tx.put(totals, id, { id, total: counts[index] ?? 0 })
    return []
  }),
})
