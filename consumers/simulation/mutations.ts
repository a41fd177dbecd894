import type { Statement, Statements } from './database/statement.ts'
import type { Tables } from './database/tables.ts'

/** A guard taken away, to see that the checks notice. */
export interface Mutation {
  readonly name: string
  /** Statements that no longer do what they should. */
  statements(sound: Statements, tables: Tables): Statements
}

/** One statement, broken. */
const breaking = (name: string, statement: string, run: (tables: Tables) => Statement['run']): Mutation => ({
  name,
  statements: (sound, tables) => ({
    ...sound,
    [statement]: { fingerprint: sound[statement]?.fingerprint ?? '', run: run(tables) },
  }),
})

const allOf = (column: string) => () => (_tx: unknown, values: readonly unknown[]) =>
  (values[0] as unknown[]).map((value) => ({ [column]: value }))

export const mutations: readonly Mutation[] = [
  breaking('a lane is locked without its epoch', 'lane_lock', ({ lanes }) => (tx, [lane, epoch]) => {
    const row = tx.get(lanes, String(lane))
    tx.lock(lanes, String(lane))
    tx.owns = { lane: Number(lane), epoch: Number(epoch) }
    return row ? [row] : []
  }),
  breaking('a lane is not locked', 'lane_lock', ({ lanes }) => (tx, [lane, epoch]) => {
    const row = tx.get(lanes, String(lane))
    tx.owns = { lane: Number(lane), epoch: Number(epoch) }
    return row && row.epoch === epoch ? [row] : []
  }),
  breaking('every event is new', 'inbox_take', allOf('event_id')),
  breaking('an answer needs no call', 'call_answered', allOf('id')),
  breaking('a timer fires again', 'timer_fired', allOf('id')),
  breaking('the position is not compared', 'ledger_move', () => () => [{}]),
  breaking('published rows leave with those behind them', 'outbox_remove', ({ outbox }) => (tx, [lanes]) => {
    for (const { lane, seq } of tx.rows(outbox)) {
      if ((lanes as number[]).includes(lane)) tx.delete(outbox, `${lane}/${seq}`)
    }
    return []
  }),
  breaking('numbers are given twice', 'lane_advance', () => () => []),
  breaking('a parked event does not hold up its key', 'parked_keys', () => () => []),
  breaking('a retry does not wait for what is ahead', 'parked_ahead', () => () => []),
]
