import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import type { ParkedInput } from '../model.ts'
import type { AskedKey } from './parked-list.ts'

/* Changes by operators. Each transaction locks the lane's row first and raises the revision of the rows it changes. */

const makeDue = prepared(
  'parked_make_due',
  `update parked set revision = revision + 1, next_attempt_at = case when id = any($3::bigint[]) then now() end
   where lane = $1 and key = any($2::text[])`,
)

/**
 * Makes the head of each key due now and no other event, which preserves the order within the key. The revision of the
 * events behind it is raised as well, so that a retry read earlier cannot overtake the head.
 */
export async function makeKeysDue(tx: Tx, keys: readonly AskedKey[]): Promise<void> {
  for (const [lane, inLane] of Map.groupBy(keys, (key) => key.lane)) {
    await makeDue(
      tx,
      lane,
      inLane.map(({ key }) => key),
      inLane.flatMap(({ ids }) => ids.slice(0, 1)),
    )
  }
}

const headsOf = prepared<{ id: number }>(
  'parked_heads',
  'select min(id) as id from parked where lane = $1 and key = any($2::text[]) group by key',
)
const remove = prepared('parked_drop', 'delete from parked where id = any($1::bigint[])')
const moveUp = prepared(
  'parked_move_up',
  `update parked set revision = revision + 1,
     next_attempt_at = case when id in (select min(id) from parked where lane = $1 and key = any($3::text[]) group by key)
       then coalesce(next_attempt_at, now()) else next_attempt_at end
   where lane = $1 and key = any($2::text[])`,
)

/** Deletes events of a lane. If a head is deleted, the next event of its key is due at once. */
export async function removeParked(
  tx: Tx,
  lane: number,
  rows: readonly { readonly id: number; readonly key: string }[],
): Promise<void> {
  const keys = [...new Set(rows.map(({ key }) => key))]
  const heads = new Set((await headsOf(tx, lane, keys)).map(({ id }) => id))
  const headless = [...new Set(rows.filter(({ id }) => heads.has(id)).map(({ key }) => key))]
  await remove(
    tx,
    rows.map(({ id }) => id),
  )
  await moveUp(tx, lane, keys, headless)
}

const replace = prepared<{ key: string }>(
  'parked_replace',
  `update parked set value = $3, type = $4 where id = $1 and value is not distinct from $2 returning key`,
)

/** Replaces an event's value if it has not changed since it was read. @returns its key; undefined if it has changed */
export const replaceValue = async (
  tx: Tx,
  row: { readonly id: number; readonly value: Buffer | null },
  value: Buffer,
  type: string | null,
): Promise<string | undefined> => (await replace(tx, row.id, row.value, value, type))[0]?.key

const keyQueue = prepared<AskedKey>(
  'parked_key_queue',
  `select lane, key, json_agg(id order by id) as ids, now()::text as "askedAt" from parked
   where lane = $1 and key = $2 group by lane, key`,
)

/** All parked events of a key. */
export const readKeyQueue = async (tx: Tx, lane: number, key: string): Promise<AskedKey | undefined> =>
  (await keyQueue(tx, lane, key))[0]

const touch = prepared('parked_touch', 'update parked set revision = revision + 1 where lane = $1 and key = $2')

/** Raises the revision of a key's events, which invalidates retries read earlier. */
export const touchKey = (tx: Tx, lane: number, key: string): Promise<unknown> => touch(tx, lane, key)

/** An event that is still parked after a redrive was requested. */
export interface StillParked {
  readonly id: number
  readonly lane: number
  readonly key: string
  readonly reason: ParkedInput['reason']
  readonly error: string | null
  readonly attempts: number
  /** Null if only an operator can make it due. */
  readonly nextAttemptAt: Date | null
  /** Whether it was attempted since the redrive was requested. */
  readonly tried: boolean
}

const stillThere = prepared<{ [K in keyof StillParked]: StillParked[K] }>(
  'parked_still_there',
  `select id, lane, key, reason, error, attempts, next_attempt_at as "nextAttemptAt", last_attempt_at > asked_at as tried
   from parked join unnest($1::bigint[], $2::timestamptz[]) as asked (id, asked_at) using (id)`,
)

/** Those of the events that are still parked. @param times when each redrive was requested, by the database's clock */
export const readStillParked = (pool: Pool, ids: readonly number[], times: readonly string[]): Promise<StillParked[]> =>
  stillThere(pool, ids, times)
