import { hash as hashOf } from 'node:crypto'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { prepared } from '../../../../infra/postgres/transaction.ts'
import { timeOfEventId } from '../../../../schemas/event-id.ts'

/**
 * The id under which the inbox remembers an event; a function of what the producer said alone, so that a repeat is known
 * wherever and whenever it comes. Ids that carry their time stay as they are and lie in that week's partition. All others
 * (random ids, ids that are no UUIDs) are unique within their source only; they are hashed into the range behind all times.
 * @param source who gave the id: asked for where it matters
 * @param placeId what an event without an id is known by
 */
export function inboxId(id: string | undefined, source: () => string | undefined, placeId: () => string): string {
  if (id === undefined) return placeId()
  return timeOfEventId(id) === undefined ? hashedId(JSON.stringify([source() ?? '', id])) : id.toLowerCase()
}

/** An id in the range behind all times. */
export function hashedId(name: string): string {
  const hash = hashOf('sha256', name)
  return `ffffffff-ffff-8${hash.slice(0, 3)}-a${hash.slice(3, 6)}-${hash.slice(6, 18)}`
}

const take = prepared<{ event_id: string }>(
  'inbox_take',
  'insert into inbox (event_id) select unnest($1::uuid[]) on conflict do nothing returning event_id',
)

/** Remembers the ids and returns those that were new. */
export async function takeIds(tx: Tx, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  return new Set((await take(tx, ids)).map((row) => row.event_id))
}

const giveUp = prepared('inbox_give_up', 'delete from inbox where event_id = any($1::uuid[])')

/** Forgets ids under which records were known that turned out to have others. */
export async function forgetIds(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await giveUp(tx, ids)
}

const known = prepared<{ id: string }>(
  'replay_known',
  'select id from unnest($1::uuid[]) as asked (id) where exists (select from inbox where event_id = id)',
)

/** Of these ids, those in the inbox. Remembers nothing. */
export const knownIds = async (tx: Tx, ids: readonly string[]): Promise<Set<string>> =>
  new Set((await known(tx, ids)).map(({ id }) => id))

/**
 * Counts rows and different ids: the table's key is unique within each partition only.
 * @param schema quoted
 */
export async function countIds(tx: Tx, schema: string): Promise<{ rows: number; distinct: number }> {
  const { rows } = await tx.query<{ rows: number; distinct: number }>(
    `select count(*) as rows, count(distinct event_id) as distinct from ${schema}.inbox`,
  )
  return rows[0] ?? { rows: 0, distinct: 0 }
}
