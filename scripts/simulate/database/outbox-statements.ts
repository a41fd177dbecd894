import { eventsOf } from '../../../producers/outbox/outbox-batch.ts'
import type { OutboxBatch } from '../../../producers/outbox/outbox-batch.ts'
import type { BytesParameter } from '../../../infra/postgres/bytes-array.ts'
import type { Statements } from './statement.ts'
import { statement, uniqueViolation } from './statement.ts'
import { Table } from './transaction.ts'

export const outboxTable = () => new Table<OutboxBatch>('outbox')

const keyOf = ({ lane, first }: Pick<OutboxBatch, 'lane' | 'first'>) => `${lane}/${first}`

/** The events of a row, by `lane/seq`. */
export const placesOf = (row: OutboxBatch) =>
  eventsOf(row).map((event) => [`${event.lane}/${event.seq}`, event] as const)

export const outboxStatements = (outbox: Table<OutboxBatch>): Statements => ({
  outbox_append: statement(
    'fc59ad01',
    (
      tx,
      lanes: number[],
      first: number[],
      last: number[],
      topics: string[],
      compression: number[],
      bytes: number[],
      records: BytesParameter,
    ) => {
      for (const [index, lane] of lanes.entries()) {
        const row = {
          lane,
          first: first[index],
          last: last[index],
          count: (last[index] ?? 0) - (first[index] ?? 0) + 1,
          topic: topics[index],
          compression: compression[index],
          bytes: bytes[index],
          records: records.values[index],
          writtenAt: Date.now(),
        } as OutboxBatch
        if (!tx.insert(outbox, keyOf(row), row)) throw uniqueViolation('outbox', keyOf(row))
      }
      return []
    },
  ),

  outbox_read: statement('525c9828', (tx, lane: number, afterSeq: number, limit: number, maxBytes: number) => {
    let [held, events] = [0, 0]
    return tx
      .rows(outbox)
      .filter((row) => row.lane === lane && row.first > afterSeq)
      .sort((a, b) => a.first - b.first)
      .filter(({ records, count }) => {
        held += records.length
        events += count
        return held - records.length < maxBytes && events - count < limit
      })
  }),

  outbox_remove: statement('627b9e10', (tx, lanes: number[], first: number[], last: number[]) => {
    for (const row of tx.rows(outbox)) {
      const index = lanes.indexOf(row.lane)
      if (index >= 0 && row.first >= (first[index] ?? 0) && row.last <= (last[index] ?? 0))
        tx.delete(outbox, keyOf(row))
    }
    return []
  }),
})
