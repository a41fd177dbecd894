import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'

const standing = prepared<LaneStanding>(
  'lane_epochs',
  'select lane, epoch, (select reason from pause where pause.lane = lane.lane) as paused from lane',
)

/** What the tables say of a lane, whatever its owner believes. */
export interface LaneStanding {
  readonly lane: number
  readonly epoch: number
  /** Why a person wants it to stand still. */
  readonly paused: string | null
}

/** How all lanes that ever had an owner stand. */
export const readStanding = (pool: Pool): Promise<LaneStanding[]> => standing(pool)

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
