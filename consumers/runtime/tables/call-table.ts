import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import type { NewCall, Ownership } from '../model.ts'

/** A stored call without a definite answer. */
export interface PendingCall extends NewCall {
  /** Attempts without a definite answer. */
  readonly attempts: number
  /** Delay before the next attempt, milliseconds. */
  readonly waitMs: number
}

/** Noted when a request is stored or read: to write it as JSON again costs more than the rest of a call's accounts. */
const characters = new WeakMap<object, number>()

/** The characters of a call's request as JSON. */
export const charactersOf = (request: object): number => characters.get(request) ?? textOf(request).length

function textOf(request: object): string {
  const text = JSON.stringify(request)
  characters.set(request, text.length)
  return text
}

const add = prepared(
  'call_add',
  `insert into call (id, lane, key, kind, request, cause)
   select * from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::json[], $6::json[])
   on conflict do nothing`,
)

export async function addCalls(tx: Tx, calls: readonly (NewCall & { lane: number })[]): Promise<void> {
  if (calls.length === 0) return
  await add(
    tx,
    calls.map((call) => call.id),
    calls.map((call) => call.lane),
    calls.map((call) => call.key),
    calls.map((call) => call.kind),
    calls.map((call) => textOf(call.request)),
    calls.map((call) => JSON.stringify(call.cause)),
  )
}

const answered = prepared<{ id: string }>(
  'call_answered',
  'delete from call where id = any($1::uuid[]) and lane = any($2::int[]) returning id',
)

/** Deletes the rows of answered calls of locked lanes. An answer counts only if its row still existed. */
export async function takeAnswered(tx: Tx, lanes: readonly number[], ids: readonly string[]): Promise<Set<string>> {
  return new Set((await answered(tx, ids, lanes)).map((row) => row.id))
}

const read = prepared<PendingCall & { characters: number }>(
  'call_read',
  `select id, key, kind, request, cause, attempts, length(request::text) as characters,
     greatest(0, extract(epoch from next_attempt_at - now()) * 1000)::int as "waitMs"
   from (select *, sum(length(request::text)) over (order by next_attempt_at, id) - length(request::text) as before
     from call where lane = $1 and not id = any($2::uuid[]) and not kind = any($4::text[])
     order by next_attempt_at, id limit $3) as next
   where before < $5 order by next_attempt_at, id`,
)

/**
 * Calls of the lane, without those in `known` and without the kinds in `denied`: up to a number or, if that is less, up
 * to the one with which their requests have `characters`.
 */
export async function readCalls(
  pool: Pool,
  lane: number,
  known: readonly string[],
  limit: { calls: number; characters: number },
  denied: readonly string[] = [],
): Promise<PendingCall[]> {
  const rows = await read(pool, lane, known, limit.calls, denied, limit.characters)
  return rows.map(({ characters: counted, ...call }) => {
    characters.set(call.request, counted)
    return call
  })
}

const failed = prepared(
  'call_failed',
  `update call set attempts = $4, last_error = $5, next_attempt_at = now() + $6 * interval '1 ms'
   from lane where call.id = $1 and lane.lane = $2 and lane.epoch = $3 and call.lane = lane.lane`,
)

/** Records an attempt without a definite answer, for operators and for the lane's next owner. */
export const noteFailure = (
  pool: Pool,
  own: Ownership,
  call: PendingCall,
  error: string,
  retryInMs: number,
): Promise<unknown> => failed(pool, call.id, own.lane, own.epoch, call.attempts, error, retryInMs)

const anyUnsent = prepared(
  'replay_anything_waits',
  'select 1 where exists (select from outbox_batch where lane = $1) or exists (select from call where lane = $1)',
)

/** Whether a lane has events to publish or calls to make. */
export const hasUnsent = async (pool: Pool, lane: number): Promise<boolean> => (await anyUnsent(pool, lane)).length > 0

/** The highest outbox number of a lane (null if its outbox is empty) and the ids of its calls. */
export interface UnsentLane {
  lane: number
  seq: number | null
  calls: string[]
}

const unsent = prepared<{ [K in keyof UnsentLane]: UnsentLane[K] }>(
  'replay_waiting',
  `select lane, (select max(last_seq) from outbox_batch as o where o.lane = asked.lane) as seq,
     array(select id from call where call.lane = asked.lane limit $2) as calls from unnest($1::int[]) as asked (lane)`,
)

/** The unsent events and calls of these lanes; at most `callsAtMost` calls per lane. */
export const readUnsent = (pool: Pool, lanes: readonly number[], callsAtMost: number): Promise<UnsentLane[]> =>
  unsent(pool, lanes, callsAtMost)

/** How many events and calls have not been sent. */
export interface Unsent {
  readonly events: number
  readonly calls: number
}

const leftUnsent = prepared<{ events: number; calls: number }>(
  'replay_left',
  `select (select coalesce(sum(least(last_seq, last) - first_seq + 1), 0)::bigint from outbox_batch
     join unnest($1::int[], $2::bigint[]) as asked (lane, last) using (lane) where first_seq <= last) as events,
     (select count(*) from call where id = any($3::uuid[])) as calls`,
)

/** How many of the events and calls found by `readUnsent` are still unsent. */
export async function countUnsent(pool: Pool, held: readonly UnsentLane[]): Promise<Unsent> {
  const [left] = await leftUnsent(
    pool,
    held.map(({ lane }) => lane),
    held.map(({ seq }) => seq ?? 0),
    held.flatMap(({ calls }) => calls),
  )
  return left ?? { events: 0, calls: 0 }
}

/** A call of one key without a definite answer, for operators. */
export interface WaitingCall {
  readonly id: string
  readonly kind: string
  /** Attempts without a definite answer. */
  readonly attempts: number
  readonly nextAttemptAt: Date
  readonly lastError: string | null
  readonly request: object
}

const ofKey = prepared<{ [K in keyof WaitingCall]: WaitingCall[K] }>(
  'call_of_key',
  `select id, kind, attempts, next_attempt_at as "nextAttemptAt", last_error as "lastError", request
   from call where lane = $1 and key = $2 order by next_attempt_at, id limit 100`,
)

/** Calls of a key without a definite answer, at most 100. */
export const callsOfKey = (pool: Pool, lane: number, key: string): Promise<WaitingCall[]> => ofKey(pool, lane, key)
