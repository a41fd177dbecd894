import { hash as hashOf } from 'node:crypto'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { prepared } from '../../../../infra/postgres/transaction.ts'
import { timeOfEventId } from '../../../../schemas/event-id.ts'

/**
 * The id under which the inbox remembers an event. It depends only on what the producer sent, so that a repeat is
 * recognized wherever and whenever it arrives. Ids that contain a time are kept unchanged and belong to the partition
 * of that week. All others (random ids, ids that are not UUIDs) are unique only within their source; they are hashed
 * into the range above all times.
 * @param source returns the producer that assigned the id; called only if needed
 * @param placeId identifies an event without an id
 */
export function inboxId(id: string | undefined, source: () => string | undefined, placeId: () => string): string {
  if (id === undefined) return placeId()
  return timeOfEventId(id) === undefined ? hashedId(JSON.stringify([source() ?? '', id])) : id.toLowerCase()
}

/** An id in the range above all times. */
export function hashedId(name: string): string {
  const hash = hashOf('sha256', name)
  return `ffffffff-ffff-8${hash.slice(0, 3)}-a${hash.slice(3, 6)}-${hash.slice(6, 18)}`
}

const take = prepared<{ event_id: string }>(
  'inbox_take',
  'insert into inbox (event_id) select unnest($1::uuid[]) on conflict do nothing returning event_id',
)

/** Adds the ids to the inbox and returns those that were new. */
export async function takeIds(tx: Tx, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  return new Set((await take(tx, ids)).map((row) => row.event_id))
}

const giveUp = prepared('inbox_give_up', 'delete from inbox where event_id = any($1::uuid[])')

/** Removes the former ids of records that turned out to have other ids. */
export async function forgetIds(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await giveUp(tx, ids)
}

const known = prepared<{ id: string }>(
  'replay_known',
  'select id from unnest($1::uuid[]) as asked (id) where exists (select from inbox where event_id = id)',
)

/** Returns those of the ids that are in the inbox. Adds nothing. */
export const knownIds = async (tx: Tx, ids: readonly string[]): Promise<Set<string>> =>
  new Set((await known(tx, ids)).map(({ id }) => id))

/**
 * Counts rows and distinct ids, because the table's key is unique only within each partition.
 * @param schema quoted
 */
export async function countIds(tx: Tx, schema: string): Promise<{ rows: number; distinct: number }> {
  const { rows } = await tx.query<{ rows: number; distinct: number }>(
    `select count(*) as rows, count(distinct event_id) as distinct from ${schema}.inbox`,
  )
  return rows[0] ?? { rows: 0, distinct: 0 }
}

const takenTimes = prepared<{ id: string; at: Date }>(
  'inbox_taken_times',
  'select event_id as id, taken_at as at from inbox where event_id = any($1::uuid[])',
)

/** When the group processed those of the events that it has processed. */
export const readTakenTimes = async (tx: Tx, ids: readonly string[]): Promise<Map<string, Date>> =>
  ids.length === 0 ? new Map() : new Map((await takenTimes(tx, ids)).map(({ id, at }) => [id, at]))
