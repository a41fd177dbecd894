import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import type { Input, ParkedInput, Retry } from '../model.ts'
import { parkedColumns, storable } from './parked-row.ts'
import type { ParkedRow } from './parked-row.ts'
import { retryDelayMs } from '../retry-policy.ts'
import type { RetryPolicy } from '../retry-policy.ts'

// The headers count as they are stored, compressed: to unpack them for all rows would take longer than to read a few
const due = prepared<ParkedRow>(
  'parked_due',
  `with heads as (
     select distinct wanted.lane, soonest.key from unnest($1::int[]) as wanted (lane) cross join lateral (
       select key from parked where parked.lane = wanted.lane and next_attempt_at <= now() order by next_attempt_at limit $2) as soonest)
   select ${parkedColumns} from (
     select queued.*, row_number() over turns as place, sum(bytes) over turns - bytes as before
     from heads cross join lateral (
       select parked.*, coalesce(octet_length(value), 0) + 4 * coalesce(pg_column_size(headers), 0) as bytes,
         row_number() over (order by id) as turn
       from parked where parked.lane = heads.lane and parked.key = heads.key order by id limit $3) as queued
     window turns as (partition by queued.lane order by queued.turn, queued.id)) as due
   where place <= $3 and before < $4 order by id`,
)

/** Maximum numbers of keys, and of their rows, per lane and query. */
const atOnce = { keys: 50, rows: 200 }
/** Of the rows in the hands of all lanes of a process. */
const processBytes = 16 * 2 ** 20

/**
 * Due parked events of these lanes, each with the events behind it, in order. The limits apply per lane, and all heads
 * precede the second event of any key, so that neither a lane nor a key with many events delays the others.
 * @param held lanes that share the memory: each gets its part of it, and one event that may be larger
 */
export const dueRows = (pool: Pool, lanes: readonly number[], held = lanes.length): Promise<ParkedRow[]> =>
  due(pool, lanes, atOnce.keys, atOnce.rows, Math.floor(processBytes / Math.max(1, held)))

const unchanged = prepared<{ id: number }>(
  'parked_unchanged',
  `select parked.id from parked join unnest($2::bigint[], $3::int[]) as read (id, revision) using (id, revision) where lane = $1`,
)

/** Ids of the events that were not dropped, edited or retried since they were read. */
export async function stillParked(tx: Tx, lane: number, retries: readonly Retry[]): Promise<Set<number>> {
  const rows = await unchanged(
    tx,
    lane,
    retries.map(({ parkedId }) => parkedId),
    retries.map(({ revision }) => revision),
  )
  return new Set(rows.map(({ id }) => id))
}

const ahead = prepared<{ key: string }>(
  'parked_ahead',
  `select distinct key from parked join unnest($2::text[], $3::bigint[]) as retried (key, id) using (key)
   where lane = $1 and parked.id < retried.id and not parked.id = any($3::bigint[])`,
)

/**
 * Keys with another parked event ahead of a retry. A retry that has changed since it was read is not handled now, so it
 * counts as another event.
 */
export async function keysAhead(tx: Tx, lane: number, retries: readonly Retry[]): Promise<Set<string>> {
  const still = await stillParked(tx, lane, retries)
  const handled = retries.filter(({ parkedId }) => still.has(parkedId))
  const rows = await ahead(
    tx,
    lane,
    handled.map(({ input }) => input.key),
    handled.map(({ parkedId }) => parkedId),
  )
  return new Set(rows.map(({ key }) => key))
}

const forget = prepared(
  'parked_forget',
  `with gone as (
     delete from parked using unnest($2::bigint[], $3::int[], $4::text[]) as done (id, revision, action)
     where parked.id = done.id and parked.revision = done.revision returning parked.*, done.action)
   insert into parked_audit (parked_id, lane, key, source, topic, partition, "offset", event_id, action, actor)
   select id, lane, key, source, topic, partition, "offset", event_id, action, $1 from gone`,
)
const failed = prepared(
  'parked_failed',
  `update parked set key = again.key, reason = again.reason, error = again.error, stack = again.stack, revision = parked.revision + 1,
     attempts = attempts + 1, last_attempt_at = now(), next_attempt_at = now() + delay_ms * interval '1 ms'
   from unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::float8[])
     as again (id, revision, key, reason, error, stack, delay_ms)
   where parked.id = again.id and parked.revision = again.revision`,
)
const requeued = prepared(
  'parked_requeued',
  `update parked set key = again.key, reason = 'BEHIND', error = null, stack = null, revision = parked.revision + 1, next_attempt_at = null
   from unnest($1::bigint[], $2::int[], $3::text[]) as again (id, revision, key)
   where parked.id = again.id and parked.revision = again.revision and (parked.key <> again.key or parked.next_attempt_at is not null)`,
)
const next = prepared(
  'parked_next',
  `update parked set next_attempt_at = now() from (
     select min(id) as id from parked where lane = $1 and key = any($2::text[]) group by key) as head
   where parked.id = head.id and reason = 'BEHIND' and next_attempt_at is null`,
)

const rename = prepared(
  'parked_rename',
  'update parked set event_id = to_id from unnest($1::bigint[], $2::uuid[]) as renamed (renamed_id, to_id) where id = renamed_id',
)

/**
 * Stores the outcomes of retries. A failed event keeps its place in the queue; the event behind a handled one is due at
 * once. An event that turns out to be behind another joins that event's queue and is no longer due. If it stayed due,
 * every poll would read it and it would delay others.
 * @param inputs inputs of the retries that were handled or failed; the others were duplicates
 */
export async function settleRetries(
  tx: Tx,
  { lane, actor }: { lane: number; actor: string },
  retries: readonly Retry[],
  inputs: readonly Input[],
  parked: readonly ParkedInput[],
  policy: RetryPolicy,
): Promise<void> {
  const failures = new Map(parked.map((entry) => [entry.input, entry]))
  const decided = new Set(inputs)
  const done = retries.filter(({ input }) => !failures.has(input))
  await forget(
    tx,
    actor,
    done.map(({ parkedId }) => parkedId),
    done.map(({ revision }) => revision),
    done.map(({ input }) => (decided.has(input) ? 'HANDLED' : 'DUPLICATE')),
  )
  const again = retries.flatMap(({ parkedId, revision, attempts, input }) => {
    const failure = failures.get(input)
    return failure && failure.reason !== 'BEHIND' ? [{ parkedId, revision, attempts: attempts + 1, ...failure }] : []
  })
  if (again.length > 0) {
    await failed(
      tx,
      again.map(({ parkedId }) => parkedId),
      again.map(({ revision }) => revision),
      again.map(({ input }) => input.key),
      again.map(({ reason }) => reason),
      again.map(({ error }) => (error === undefined ? null : storable(error))),
      again.map(({ stack }) => (stack === undefined ? null : storable(stack))),
      again.map(({ reason, attempts }) => retryDelayMs(reason, attempts, policy) ?? null),
    )
  }
  const behind = retries.filter(({ input }) => failures.get(input)?.reason === 'BEHIND')
  if (behind.length > 0) {
    await requeued(
      tx,
      behind.map(({ parkedId }) => parkedId),
      behind.map(({ revision }) => revision),
      behind.map(({ input }) => input.key),
    )
  }
  // Their new ids are in the inbox by now; the next retry must not take them for duplicates
  const renamed = retries.filter(
    ({ parkedInboxId, input }) => failures.has(input) && input.source === 'record' && input.inboxId !== parkedInboxId,
  )
  if (renamed.length > 0) {
    await rename(
      tx,
      renamed.map(({ parkedId }) => parkedId),
      renamed.map(({ input }) => (input.source === 'record' ? input.inboxId : null)),
    )
  }
  await next(tx, lane, [...new Set(retries.map(({ parkedKey }) => parkedKey))])
}
