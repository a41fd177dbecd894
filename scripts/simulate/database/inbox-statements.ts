import { weeksAround } from '../../../consumers/runtime/tables/inbox/weeks.ts'
import { beginning } from '../time/take-over-time.ts'
import type { Statements } from './statement.ts'
import type { Refusals } from './counting-statements.ts'
import { databaseError, statement } from './statement.ts'
import { Table } from './transaction.ts'

export interface InboxRow {
  event_id: string
}

export const inboxTable = () => new Table<InboxRow>('inbox')

export const inboxStatements = (
  inbox: Table<InboxRow>,
  { refusesPlaces }: Pick<Refusals, 'refusesPlaces'>,
): Statements => ({
  inbox_take: statement('7c3c40d8', (tx, ids: string[]) =>
    ids.filter((id) => tx.insert(inbox, id, { event_id: id })).map((id) => ({ event_id: id })),
  ),

  // The simulated operator drops and edits no records with an id
  parked_places_known: statement('134a1279', (tx, placeIds: string[]) => {
    if (placeIds.length > 1 && refusesPlaces()) throw databaseError('54001', 'statement is too complex')
    return placeIds.filter((id) => tx.get(inbox, id)).map((id) => ({ place_id: id }))
  }),

  inbox_give_up: statement('9bc47109', (tx, ids: string[]) => {
    for (const id of ids) tx.delete(inbox, id)
    return []
  }),
})

/** Answers inbox maintenance as if another process held its lock: the simulated inbox is one table. */
export function unnamedStatement(text: string, now: number): object[] | undefined {
  if (text === 'select now()') return [{ now: new Date(beginning + now) }]
  if (text.startsWith('select pg_try_advisory_lock(')) return [{ held: false }]
  if (!text.startsWith('select c.relname as name from pg_inherits')) return undefined
  return [{ name: `inbox_w${weeksAround(beginning + now).first}` }]
}
