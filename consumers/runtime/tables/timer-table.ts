import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import type { Cause, NewTimer, TimerInput } from '../model.ts'

const add = prepared(
  'timer_add',
  `insert into timer (id, lane, key, kind, cause, due_at)
   select id, lane, key, kind, cause, now() + after_ms * interval '1 ms'
   from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::json[], $6::bigint[]) as t (id, lane, key, kind, cause, after_ms)
   on conflict do nothing`,
)

/** Starts timers: each is due `afterMs` after this transaction began, by the database's clock. */
export async function addTimers(tx: Tx, timers: readonly (NewTimer & { lane: number })[]): Promise<void> {
  if (timers.length === 0) return
  await add(
    tx,
    timers.map((timer) => timer.id),
    timers.map((timer) => timer.lane),
    timers.map((timer) => timer.key),
    timers.map((timer) => timer.kind),
    timers.map((timer) => JSON.stringify(timer.cause)),
    timers.map((timer) => timer.afterMs),
  )
}

const fired = prepared<{ id: string }>(
  'timer_fired',
  'delete from timer where id = any($1::uuid[]) and lane = any($2::int[]) returning id',
)

/** Takes the rows of timers of locked lanes away. A timer fires only if its row was still there. */
export async function takeFired(tx: Tx, lanes: readonly number[], ids: readonly string[]): Promise<Set<string>> {
  return new Set((await fired(tx, ids, lanes)).map((row) => row.id))
}

// A bound per lane: one whose timers may not fire yet must not hide those of the others
const due = prepared<{ id: string; lane: number; key: string; kind: string; cause: Cause }>(
  'timer_due',
  `select t.* from unnest($1::int[]) as wanted (lane) cross join lateral (
     select id, lane, key, kind, cause from timer where timer.lane = wanted.lane and due_at <= now()
     order by due_at, id limit $2) t`,
)

/** A timer that has come. */
export interface DueTimer {
  readonly id: string
  readonly lane: number
  readonly input: TimerInput
}

/** Timers of these lanes that have come, by the database's clock, in the order they came; at most `limit` of a lane. */
export const dueTimers = async (pool: Pool, lanes: readonly number[], limit: number): Promise<DueTimer[]> =>
  (await due(pool, lanes, limit)).map(({ id, lane, key, kind, cause }) => ({
    id,
    lane,
    input: { source: 'timer', id, key, kind, cause },
  }))
