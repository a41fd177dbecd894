import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import type { Cause, NewTimer, TimerInput, WithdrawnTimer } from '../model.ts'

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

// Reached by key one after the other, whatever the planner knows of the table
const withdraw = prepared(
  'timer_withdraw',
  `delete from timer where id = any(array(
     select t.id from unnest($1::int[], $2::text[], $3::text[]) as w (lane, key, kind) cross join lateral (
       select id from timer where timer.key = w.key and timer.kind = w.kind and timer.lane = w.lane limit 1000) t))`,
)

/** Deletes timers that are not needed any more, of locked lanes; one statement for a whole batch. */
export async function withdrawTimers(tx: Tx, timers: readonly (WithdrawnTimer & { lane: number })[]): Promise<void> {
  if (timers.length === 0) return
  await withdraw(
    tx,
    timers.map(({ lane }) => lane),
    timers.map(({ key }) => key),
    timers.map(({ kind }) => kind),
  )
}

const fired = prepared<{ id: string }>(
  'timer_fired',
  'delete from timer where id = any($1::uuid[]) and lane = any($2::int[]) returning id',
)

/** Deletes the rows of timers of locked lanes. A timer fires only if its row still existed. */
export async function takeFired(tx: Tx, lanes: readonly number[], ids: readonly string[]): Promise<Set<string>> {
  return new Set((await fired(tx, ids, lanes)).map((row) => row.id))
}

// The limit applies per lane: a lane whose timers may not fire yet must not hide those of other lanes
const due = prepared<{ id: string; lane: number; key: string; kind: string; cause: Cause }>(
  'timer_due',
  `select t.* from unnest($1::int[]) as wanted (lane) cross join lateral (
     select id, lane, key, kind, cause from timer where timer.lane = wanted.lane and due_at <= now()
     order by due_at, id limit $2) t`,
)

/** A due timer. */
export interface DueTimer {
  readonly id: string
  readonly lane: number
  readonly input: TimerInput
}

/** Due timers of these lanes, by the database's clock, in the order they became due; at most `limit` per lane. */
export const dueTimers = async (pool: Pool, lanes: readonly number[], limit: number): Promise<DueTimer[]> =>
  (await due(pool, lanes, limit)).map(({ id, lane, key, kind, cause }) => ({
    id,
    lane,
    input: { source: 'timer', id, key, kind, cause },
  }))

/** A timer of one key, for operators. */
export interface WaitingTimer {
  readonly kind: string
  readonly dueAt: Date
}

const ofKey = prepared<{ [K in keyof WaitingTimer]: WaitingTimer[K] }>(
  'timer_of_key',
  `select kind, due_at as "dueAt" from timer where lane = $1 and key = $2 order by due_at limit 100`,
)

/** Timers of a key, due or not, at most 100. */
export const timersOfKey = (pool: Pool, lane: number, key: string): Promise<WaitingTimer[]> => ofKey(pool, lane, key)
