import type { Statements } from './statement.ts'
import { statement } from './statement.ts'
import { Table } from './transaction.ts'

export interface SkippedRow {
  topic: string
  partition: number
  from: number
  to: number
}

export const skippedTable = () => new Table<SkippedRow>('skipped')

export const skippedStatements = (skipped: Table<SkippedRow>): Statements => ({
  skipped_note: statement(
    'd02e1bc9',
    (tx, topic: string, partition: number, epoch: number, from: number, to: number) => {
      tx.insert(skipped, `${topic}/${partition}/${epoch}`, { topic, partition, from, to })
      return []
    },
  ),
  skipped_last_over: statement('d5d5f94f', (tx, topic: string, partition: number, from: number, to: number) =>
    tx
      .rows(skipped)
      .filter((row) => row.topic === topic && row.partition === partition && row.from < to && row.to > from)
      .slice(-1)
      .map(() => ({ actor: 'operator', why: 'simulated', at: new Date(tx.now), cause: 'skipped' })),
  ),
})
