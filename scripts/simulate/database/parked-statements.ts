import type { ParkedRow as RuntimeRow } from '../../../consumers/runtime/tables/parked-row.ts'
import type { Statements } from './statement.ts'
import { statement } from './statement.ts'
import type { Transaction } from './transaction.ts'
import { Table } from './transaction.ts'

/** Times in milliseconds of the virtual clock. */
export interface ParkedRow extends Omit<RuntimeRow, 'parkedAt' | 'lastAttemptAt' | 'nextAttemptAt'> {
  nextAttemptAt: number | null
}

export const parkedTable = () => new Table<ParkedRow>('parked')

type Column<K extends keyof ParkedRow> = ParkedRow[K][]

export function parkedStatements(parked: Table<ParkedRow>): Statements {
  let lastId = 0
  const matching = (tx: Transaction, ids: number[], revisions: number[]) =>
    ids.flatMap((id, index) => {
      const row = tx.get(parked, String(id))
      return row && row.revision === revisions[index] ? [{ row, index }] : []
    })
  const inOrder = (tx: Transaction) => tx.rows(parked).sort((a, b) => a.id - b.id)

  return {
    parked_keys: statement('37ff7955', (tx, lanes: number[], keys: string[]) => {
      const found = tx.rows(parked).filter((row) => lanes.includes(row.lane) && keys.includes(row.key))
      return [...new Map(found.map(({ lane, key }) => [`${lane} ${key}`, { lane, key }])).values()]
    }),

    parked_add: statement(
      'ccd8e8f8',
      (
        tx,
        lane: number,
        key: Column<'key'>,
        source: Column<'source'>,
        topic: Column<'topic'>,
        partition: Column<'partition'>,
        offset: Column<'offset'>,
        eventId: Column<'eventId'>,
        type: Column<'type'>,
        reason: Column<'reason'>,
        error: Column<'error'>,
        stack: Column<'stack'>,
        headers: (string | null)[],
        recordKey: Column<'recordKey'>,
        recordTime: Column<'recordTime'>,
        value: Column<'value'>,
        attempts: Column<'attempts'>,
        delayMs: (number | null)[],
      ) => {
        for (const [index] of key.entries()) {
          const at = <T>(column: T[]) => column[index] as T
          const id = ++lastId // Like a sequence: never rolled back
          const json = at(headers)
          tx.insert(parked, String(id), {
            id,
            lane,
            key: at(key),
            source: at(source),
            topic: at(topic),
            partition: at(partition),
            offset: at(offset),
            eventId: at(eventId),
            type: at(type),
            reason: at(reason),
            error: at(error),
            stack: at(stack),
            headers: json === null ? null : (JSON.parse(json) as ParkedRow['headers']),
            recordKey: at(recordKey),
            recordTime: at(recordTime),
            value: at(value),
            attempts: at(attempts),
            revision: 0,
            nextAttemptAt: dueIn(tx, at(delayMs)),
          })
        }
        return []
      },
    ),

    parked_count: statement('ab240810', (tx, lane: number) => [
      { parked: tx.rows(parked).filter((row) => row.lane === lane).length },
    ]),

    parked_due: statement('0fd53c9b', (tx, lanes: number[], keys: number, rows: number, bytes: number) =>
      lanes
        .flatMap((lane) => {
          const all = inOrder(tx).filter((row) => row.lane === lane)
          const due = all
            .filter((row) => row.nextAttemptAt !== null && row.nextAttemptAt <= tx.now)
            .sort((a, b) => (a.nextAttemptAt ?? 0) - (b.nextAttemptAt ?? 0))
          const heads = [...new Set(due.slice(0, keys).map(({ key }) => key))]
          return heads
            .flatMap((key) => all.filter((row) => row.key === key).map((row, turn) => ({ row, turn })))
            .sort((a, b) => a.turn - b.turn || a.row.id - b.row.id)
            .slice(0, rows)
            .filter(within(bytes))
        })
        .map(({ row }) => row)
        .sort((a, b) => a.id - b.id),
    ),

    parked_unchanged: statement('70e9da1e', (tx, lane: number, ids: number[], revisions: number[]) =>
      matching(tx, ids, revisions)
        .filter(({ row }) => row.lane === lane)
        .map(({ row }) => ({ id: row.id })),
    ),

    parked_ahead: statement('32d3c76e', (tx, lane: number, keys: string[], ids: number[]) => {
      const others = tx.rows(parked).filter((row) => row.lane === lane && !ids.includes(row.id))
      const ahead = keys.filter((key, index) => others.some((row) => row.key === key && row.id < (ids[index] ?? 0)))
      return [...new Set(ahead)].map((key) => ({ key }))
    }),

    parked_forget: statement('47f15abf', (tx, _actor: string, ids: number[], revisions: number[]) => {
      for (const { row } of matching(tx, ids, revisions)) tx.delete(parked, String(row.id))
      return []
    }),

    parked_failed: statement(
      'a29b793e',
      (
        tx,
        ids: number[],
        revisions: number[],
        keys: Column<'key'>,
        reasons: Column<'reason'>,
        errors: Column<'error'>,
        stacks: Column<'stack'>,
        delays: (number | null)[],
      ) => {
        for (const { row, index } of matching(tx, ids, revisions)) {
          tx.put(parked, String(row.id), {
            ...row,
            key: keys[index] ?? row.key,
            reason: reasons[index] ?? row.reason,
            error: errors[index] ?? null,
            stack: stacks[index] ?? null,
            revision: row.revision + 1,
            attempts: row.attempts + 1,
            nextAttemptAt: dueIn(tx, delays[index] ?? null),
          })
        }
        return []
      },
    ),

    parked_requeued: statement('e1e59397', (tx, ids: number[], revisions: number[], keys: string[]) => {
      for (const { row, index } of matching(tx, ids, revisions)) {
        const key = keys[index] ?? row.key
        if (key === row.key && row.nextAttemptAt === null) continue
        const queued = { key, reason: 'BEHIND', error: null, stack: null, nextAttemptAt: null } as const
        tx.put(parked, String(row.id), { ...row, ...queued, revision: row.revision + 1 })
      }
      return []
    }),

    parked_rename: statement('66f6b717', (tx, ids: number[], to: string[]) => {
      for (const [index, id] of ids.entries()) {
        const row = tx.get(parked, String(id))
        if (row) tx.put(parked, String(id), { ...row, eventId: to[index] ?? '' })
      }
      return []
    }),

    parked_next: statement('09e4f1de', (tx, lane: number, keys: string[]) => {
      for (const key of keys) {
        const head = inOrder(tx).find((row) => row.lane === lane && row.key === key)
        if (head?.reason !== 'BEHIND' || head.nextAttemptAt !== null) continue
        tx.put(parked, String(head.id), { ...head, nextAttemptAt: tx.now })
      }
      return []
    }),
  }
}

const dueIn = (tx: Transaction, delayMs: number | null): number | null => (delayMs === null ? null : tx.now + delayMs)

/** Keeps rows up to the one with which they have so many bytes. */
function within(bytes: number): (each: { row: ParkedRow }) => boolean {
  let before = 0
  return ({ row: { value, headers } }) => {
    if (before >= bytes) return false
    before += (value?.length ?? 0) + (headers === null ? 0 : 4 * JSON.stringify(headers).length)
    return true
  }
}
