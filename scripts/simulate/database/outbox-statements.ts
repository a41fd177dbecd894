import type { OutboxRow } from '../../../producers/outbox/outbox-table.ts'
import type { Statements } from './statement.ts'
import { statement, uniqueViolation } from './statement.ts'
import { Table } from './transaction.ts'

export const outboxTable = () => new Table<OutboxRow>('outbox')

const keyOf = ({ lane, seq }: Pick<OutboxRow, 'lane' | 'seq'>) => `${lane}/${seq}`

export const outboxStatements = (outbox: Table<OutboxRow>): Statements => ({
  outbox_append: statement(
    '9f13080b',
    (
      tx,
      lanes: number[],
      seqs: number[],
      ids: string[],
      topics: string[],
      keys: string[],
      headers: string[],
      values: Buffer[],
    ) => {
      for (const [index, lane] of lanes.entries()) {
        const row = {
          lane,
          seq: seqs[index],
          eventId: ids[index],
          topic: topics[index],
          key: keys[index],
          headers: headers[index],
          value: values[index],
        } as OutboxRow
        if (!tx.insert(outbox, keyOf(row), row)) throw uniqueViolation('outbox', keyOf(row))
      }
      return []
    },
  ),

  outbox_read: statement('3a2dc1ec', (tx, lane: number, afterSeq: number, limit: number) =>
    tx
      .rows(outbox)
      .filter((row) => row.lane === lane && row.seq > afterSeq)
      .sort((a, b) => a.seq - b.seq)
      .slice(0, limit),
  ),

  outbox_remove: statement('66b9a250', (tx, lanes: number[], seqs: number[]) => {
    const upTo = new Map(lanes.map((lane, index) => [lane, seqs[index] ?? 0]))
    for (const row of tx.rows(outbox)) if (row.seq <= (upTo.get(row.lane) ?? 0)) tx.delete(outbox, keyOf(row))
    return []
  }),
})
