import type { Pool } from '../../../infra/postgres/pool.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import { noteAction } from '../../runtime/tables/audit.ts'
import type { Actor } from '../../runtime/tables/audit.ts'
import { selected, selectionValues, workByHand } from './selection.ts'
import type { Selection, Work } from './selection.ts'

const eventsAtOnce = 500

const next = prepared<{ id: number; key: string }>(
  'parked_next_selected',
  `select id, key from parked where lane = $5 and ${selected} order by id limit $6`,
)
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

/**
 * Gives parked events up for good: they never take effect. Their bytes stay in the audit. What waited behind a head that is
 * dropped is due at once.
 * @returns ids of the dropped events
 */
export function dropParked(
  pool: Pool,
  selection: Selection,
  by: Actor & { why: string },
  work: Work = {},
): Promise<number[]> {
  return workByHand(pool, selection, work, (lane) => async (tx) => {
    const rows = await next(tx, ...selectionValues(selection), lane, eventsAtOnce)
    const ids = rows.map(({ id }) => id)
    const keys = [...new Set(rows.map(({ key }) => key))]
    const heads = new Set((await headsOf(tx, lane, keys)).map(({ id }) => id))
    const headless = [...new Set(rows.filter(({ id }) => heads.has(id)).map(({ key }) => key))]
    await noteAction(tx, ids, 'DROPPED', by)
    await remove(tx, ids)
    await moveUp(tx, lane, keys, headless)
    return ids
  })
}
