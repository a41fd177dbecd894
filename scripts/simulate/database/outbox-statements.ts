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

  outbox_read: statement('19b2557f', (tx, lane: number, afterSeq: number, limit: number, maxBytes: number) => {
    let before = 0
    return tx
      .rows(outbox)
      .filter((row) => row.lane === lane && row.seq > afterSeq)
      .sort((a, b) => a.seq - b.seq)
      .slice(0, limit)
      .filter(({ value }) => {
        before += value.length
        return before - value.length < maxBytes
      })
  }),

  outbox_remove: statement('64b5395a', (tx, lanes: number[], first: number[], last: number[]) => {
    for (const row of tx.rows(outbox)) {
      const index = lanes.indexOf(row.lane)
      if (index >= 0 && row.seq >= (first[index] ?? 0) && row.seq <= (last[index] ?? 0)) tx.delete(outbox, keyOf(row))
    }
    return []
  }),
})
