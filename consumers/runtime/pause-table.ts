import type { Pool, Tx } from '../../infra/postgres.ts'
import { prepared } from '../../infra/postgres.ts'

const paused = prepared<{ lane: number; reason: string }>('pause_read', 'select lane, reason from pause')

/** Lanes a person wants to stand still, and why. */
export async function pausedLanes(pool: Pool): Promise<Map<number, string>> {
  return new Map((await paused(pool)).map(({ lane, reason }) => [lane, reason]))
}

const add = prepared(
  'pause_add',
  `insert into pause (lane, reason, actor) select unnest($1::int[]), $2, $3
   on conflict (lane) do update set reason = excluded.reason, actor = excluded.actor, at = now()`,
)

/** The lanes' owners stop taking within a second, also after a restart; what is under way is finished. */
export const pauseLanes = (tx: Tx, lanes: readonly number[], reason: string, actor: string): Promise<unknown> =>
  add(tx, lanes, reason, actor)

const remove = prepared<{ lane: number }>(
  'pause_remove',
  'delete from pause where lane = any($1::int[]) returning lane',
)

/** @returns the lanes that were paused */
export const resumeLanes = async (tx: Tx, lanes: readonly number[]): Promise<number[]> =>
  (await remove(tx, lanes)).map(({ lane }) => lane)
