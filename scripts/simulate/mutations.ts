import type { Statement, Statements } from './database/statement.ts'
import type { Tables } from './database/tables.ts'

/** A guard taken away, to see that the checks notice. */
export interface Mutation {
  readonly name: string
  /** Statements that no longer do what they should. */
  statements(sound: Statements, tables: Tables): Statements
}

/** One statement, broken. */
const breaking = (
  name: string,
  statement: string,
  run: (sound: Statement['run'], tables: Tables) => Statement['run'],
): Mutation => ({
  name,
  statements(statements, tables) {
    const sound = statements[statement]
    if (!sound) throw new RangeError(`no statement ${statement} to break`)
    return { ...statements, [statement]: { ...sound, run: run(sound.run, tables) } }
  },
})

/** Does what it should, then says that it did it with all of its first parameter. */
const sayingAll =
  (column: string) =>
  (sound: Statement['run']): Statement['run'] =>
  (tx, values) => {
    sound(tx, values)
    return (values[0] as unknown[]).map((value) => ({ [column]: value }))
  }

const none = (): Statement['run'] => () => []

export const mutations: readonly Mutation[] = [
  breaking('a lane is locked without its epoch', 'lane_lock', (sound, { lanes }) => (tx, [lane, epoch]) => {
    const found = sound(tx, [lane, tx.get(lanes, String(lane))?.epoch])
    tx.owned.set(Number(lane), Number(epoch))
    return found
  }),
  breaking('a lane is not locked', 'lane_lock', (_sound, { lanes }) => (tx, [lane, epoch]) => {
    const row = tx.get(lanes, String(lane))
    tx.owned.set(Number(lane), Number(epoch))
    return row && row.epoch === epoch ? [row] : []
  }),
  breaking(
    'lanes are locked without their epochs',
    'lane_lock_several',
    (sound, { lanes }) =>
      (tx, [numbers, epochs]) => {
        const now = (numbers as number[]).map((lane) => tx.get(lanes, String(lane))?.epoch)
        const found = sound(tx, [numbers, now])
        for (const [index, lane] of (numbers as number[]).entries())
          tx.owned.set(lane, (epochs as number[])[index] ?? 0)
        return found
      },
  ),
  breaking('every event is new', 'inbox_take', sayingAll('event_id')),
  breaking('published rows leave with those behind them', 'outbox_remove', (sound) => (tx, [lanes]) => {
    const all = (lanes as number[]).map(() => Number.POSITIVE_INFINITY)
    return sound(tx, [lanes, all])
  }),
  breaking('a parked event does not hold up its key', 'parked_keys', none),
  breaking('what is parked is new when it is taken again', 'parked_places_known', none),
  breaking('a retry does not wait for what is ahead', 'parked_ahead', none),
  breaking(
    'a retry needs no row',
    'parked_unchanged',
    () =>
      (_tx, [, ids]) =>
        (ids as number[]).map((id) => ({ id })),
  ),
]
