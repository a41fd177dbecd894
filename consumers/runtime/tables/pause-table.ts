import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'

const statuses = prepared<LaneStatus>(
  'lane_epochs',
  'select lane, epoch, (select reason from pause where pause.lane = lane.lane) as paused from lane',
)

/** A lane's owner and pause according to the tables, whatever its owner believes. */
export interface LaneStatus {
  readonly lane: number
  readonly epoch: number
  /** Reason an operator gave for pausing it. */
  readonly paused: string | null
}

/** Every lane that was ever claimed. */
export const readLaneStatuses = (pool: Pool): Promise<LaneStatus[]> => statuses(pool)

const add = prepared(
  'pause_add',
  `insert into pause (lane, reason, actor) select unnest($1::int[]), $2, $3
   on conflict (lane) do update set reason = excluded.reason, actor = excluded.actor, at = now()`,
)

/** The lanes' owners stop processing within a second, also after a restart; they finish in-flight batches. */
export const pauseLanes = (tx: Tx, lanes: readonly number[], reason: string, actor: string): Promise<unknown> =>
  add(tx, lanes, reason, actor)

const remove = prepared<{ lane: number }>(
  'pause_remove',
  'delete from pause where lane = any($1::int[]) returning lane',
)

/** @returns the lanes that were paused */
export const resumeLanes = async (tx: Tx, lanes: readonly number[]): Promise<number[]> =>
  (await remove(tx, lanes)).map(({ lane }) => lane)

export interface Pause {
  readonly lane: number
  readonly reason: string
}

/** Pauses in force, by lane number. @param schema quoted; @default the connection's */
export async function readPauses(db: Tx, schema?: string): Promise<Pause[]> {
  const table = schema === undefined ? 'pause' : `${schema}.pause`
  return (await db.query<Pause>(`select lane, reason from ${table} order by lane`)).rows
}
