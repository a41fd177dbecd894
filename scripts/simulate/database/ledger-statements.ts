import type { Statements } from './statement.ts'
import { checkViolation, statement, uniqueViolation } from './statement.ts'
import { Table } from './transaction.ts'

export interface LedgerRow {
  topic: string
  partition: number
  epoch: number
  first_offset: number
  next_offset: number
  taken: number
  duplicates: number
  ignored: number
  parked: number
  holes: number
  topic_id: string | null
  replay: number | null
  again_until: number | null
  resume_at: number | null
}

export const ledgerTable = () => new Table<LedgerRow>('ledger')

const keyOf = ({ topic, partition, epoch }: Pick<LedgerRow, 'topic' | 'partition' | 'epoch'>) =>
  `${topic}/${partition}/${epoch}`

export const ledgerStatements = (ledger: Table<LedgerRow>): Statements => ({
  ledger_last: statement('40b17c1d', (tx, partition: number, topics: string[]) => {
    const last = new Map<string, LedgerRow>()
    for (const row of tx.rows(ledger)) {
      if (row.partition !== partition || !topics.includes(row.topic)) continue
      if (row.epoch >= (last.get(row.topic)?.epoch ?? 0)) last.set(row.topic, row)
    }
    return [...last.values()]
  }),

  replay_before: statement('d86a3976', () => []), // Only shown to operators

  ledger_drop_empty: statement('7018ac89', (tx, partition: number, topics: string[], epoch: number) => {
    for (const row of tx.rows(ledger)) {
      const empty = row.first_offset === row.next_offset && row.epoch < epoch
      if (empty && row.partition === partition && topics.includes(row.topic)) tx.delete(ledger, keyOf(row))
    }
    return []
  }),

  ledger_open: statement(
    '3029aa7a',
    (
      tx,
      partition: number,
      epoch: number,
      topics: string[],
      positions: number[],
      ids: string[],
      replays: (number | undefined)[],
      untils: (number | undefined)[],
      resumes: (number | undefined)[],
    ) => {
      for (const [index, topic] of topics.entries()) {
        const position = positions[index] ?? 0
        const place = { topic, partition, epoch, first_offset: position, next_offset: position }
        const counts = { taken: 0, duplicates: 0, ignored: 0, parked: 0, holes: 0 }
        const replay = {
          replay: replays[index] ?? null,
          again_until: untils[index] ?? null,
          resume_at: resumes[index] ?? null,
        }
        const row = { ...place, ...counts, topic_id: ids[index] || null, ...replay }
        if (!tx.insert(ledger, keyOf(row), row)) throw uniqueViolation('ledger', keyOf(row))
      }
      return []
    },
  ),

  ledger_move: statement(
    '936561d3',
    (
      tx,
      topics: string[],
      lanes: number[],
      epochs: number[],
      from: number[],
      to: number[],
      taken: number[],
      duplicates: number[],
      ignored: number[],
      parked: number[],
      holes: number[],
    ) => {
      const of = (column: number[], index: number) => column[index] ?? 0
      return topics.flatMap((topic, index) => {
        const place = { topic, partition: of(lanes, index), epoch: of(epochs, index) }
        const row = tx.get(ledger, keyOf(place))
        if (row?.next_offset !== of(from, index)) return []
        const moved = {
          ...row,
          next_offset: of(to, index),
          taken: row.taken + of(taken, index),
          duplicates: row.duplicates + of(duplicates, index),
          ignored: row.ignored + of(ignored, index),
          parked: row.parked + of(parked, index),
          holes: row.holes + of(holes, index),
        }
        const beyond = moved.next_offset > (row.again_until ?? moved.next_offset)
        if (spanOf(moved) !== sumOf(moved) || beyond) throw checkViolation('ledger', moved)
        tx.put(ledger, keyOf(row), moved)
        return [{}]
      })
    },
  ),
})

export const spanOf = ({ first_offset, next_offset }: LedgerRow): number => next_offset - first_offset

export const sumOf = ({ taken, duplicates, ignored, parked, holes }: LedgerRow): number =>
  taken + duplicates + ignored + parked + holes
