import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'

const standings = prepared<{ [K in keyof LaneStanding]: LaneStanding[K] }>(
  'lane_epochs',
  `select lane, epoch, generation, (select reason from pause where pause.lane = lane.lane) as paused,
     (select ceil(extract(epoch from min(next_attempt_at) - now()) * 1000)::float8
      from parked where parked.lane = lane.lane) as "retryMs",
     (select ceil(extract(epoch from min(due_at) - now()) * 1000)::float8
      from timer where timer.lane = lane.lane) as "timerMs"
   from lane where lane = any($1::int[])`,
)

/** A lane according to the tables, which may differ from its owner's view. */
export interface LaneStanding {
  readonly lane: number
  readonly epoch: number
  /** Generation of the topics it belongs to. */
  readonly generation: number
  /** Reason an operator gave for pausing it. */
  readonly paused: string | null
  /** Time until the first parked event is to be retried, ms; 0 or less: now. Null if there is none. */
  readonly retryMs: number | null
  /** The same for timers. */
  readonly timerMs: number | null
}

/** Those of these lanes that have been claimed at least once. */
export const readStandings = (pool: Pool, lanes: readonly number[]): Promise<LaneStanding[]> => standings(pool, lanes)

const add = prepared<{ lane: number }>(
  'pause_add',
  `insert into pause (lane, reason, actor) select unnest($1::int[]), $2, $3
   on conflict (lane) do nothing returning lane`,
)

/**
 * The lanes' owners stop processing as soon as they hear of it, also after a restart; they finish in-flight batches. A
 * pause that is in force keeps its reason.
 * @returns the lanes that were not paused before
 */
export const pauseLanes = async (tx: Tx, lanes: readonly number[], reason: string, actor: string): Promise<number[]> =>
  (await add(tx, lanes, reason, actor)).map(({ lane }) => lane)

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
  readonly actor: string
}

/** Pauses in force, by lane number. @param schema quoted; @default the connection's */
export async function readPauses(db: Pool | Tx, schema?: string): Promise<Pause[]> {
  const table = schema === undefined ? 'pause' : `${schema}.pause`
  return (await db.query<Pause>(`select lane, reason, actor from ${table} order by lane`)).rows
}
