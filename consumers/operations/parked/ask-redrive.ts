import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import { noteAction } from '../../runtime/tables/audit.ts'
import type { Actor } from '../../runtime/tables/audit.ts'
import { selected, selectionValues, workByHand } from './selection.ts'
import type { Selection, Work } from './selection.ts'

/** A key whose parked events are to be handled, from its head on. */
export interface AskedKey {
  readonly lane: number
  readonly key: string
  /** All that was parked under the key, in order; the first is the head. */
  readonly ids: readonly number[]
  /** By the database's clock, as text: finer than a Date. */
  readonly askedAt: string
}

const keysAtOnce = 200

const keysAfter = prepared<AskedKey & { chosen: number[] }>(
  'parked_keys_after',
  `select lane, key, json_agg(id order by id) as ids, coalesce(json_agg(id) filter (where ${selected}), '[]') as chosen, now()::text as "askedAt"
   from parked
   where lane = $5 and key in (
     select key from parked where lane = $5 and ($6::text is null or key > $6) and ${selected} group by key order by key limit $7)
   group by lane, key order by key`,
)
const makeDue = prepared(
  'parked_make_due',
  `update parked set revision = revision + 1, next_attempt_at = case when id = any($3::bigint[]) then now() end
   where lane = $1 and key = any($2::text[])`,
)

/**
 * Makes the head of each key due now. Only the head is: whatever of the key was chosen, order is kept. The revision of
 * everything behind it grows, too, so that a retry which was read before cannot overtake the head.
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

/**
 * Asks the lanes' owners to handle parked events again, at once. One attempt each: what fails again goes on waiting as its
 * attempts say.
 */
export async function askRedrive(pool: Pool, selection: Selection, by: Actor, work: Work = {}): Promise<AskedKey[]> {
  let events = 0
  const onProgress = () => work.onProgress?.(events)
  return workByHand(pool, selection, { ...work, onProgress }, (lane) => {
    let after: string | null = null
    return async (tx) => {
      const found = await keysAfter(tx, ...selectionValues(selection), lane, after, keysAtOnce)
      const ids = found.flatMap(({ ids: [head], chosen }) => (head === undefined ? [] : [head, ...chosen]))
      await noteAction(tx, [...new Set(ids)], 'REDRIVE_ASKED', by)
      await makeKeysDue(tx, found)
      after = found.at(-1)?.key ?? after
      events += found.reduce((sum, { ids: all }) => sum + all.length, 0)
      return found.map(({ chosen: _chosen, ...asked }) => asked)
    }
  })
}
