import { TallyError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import { storable, storeHeaders, storeIntent } from './parked-row.ts'
import { retryDelayMs } from '../retry-policy.ts'
import type { RetryPolicy } from '../retry-policy.ts'
import type { ParkedInput } from '../model.ts'

const blocked = prepared<{ lane: number; key: string }>(
  'parked_keys',
  'select distinct lane, key from parked where lane = any($1::int[]) and key = any($2::text[])',
)

/** Keys with parked events, by lane: later events of these keys are parked behind them. */
export async function blockedKeys(
  tx: Tx,
  lanes: readonly number[],
  keys: readonly string[],
): Promise<Map<number, Set<string>>> {
  if (keys.length === 0) return new Map()
  const found = Map.groupBy(await blocked(tx, lanes, keys), ({ lane }) => lane)
  return new Map([...found].map(([lane, rows]) => [lane, new Set(rows.map(({ key }) => key))]))
}

const park = prepared(
  'parked_add',
  `insert into parked (lane, key, source, topic, partition, "offset", event_id, type, reason, error, stack, headers, record_key,
     record_time, value, attempts, next_attempt_at)
   select $1, key, source, topic, partition, "offset", event_id, type, reason, error, stack, headers, record_key, record_time,
     value, attempts, now() + delay_ms * interval '1 ms'
   from unnest($2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::uuid[], $8::text[], $9::text[], $10::text[],
     $11::text[], $12::json[], $13::bytea[], $14::bigint[], $15::bytea[], $16::int[], $17::float8[])
     as t (key, source, topic, partition, "offset", event_id, type, reason, error, stack, headers, record_key, record_time,
       value, attempts, delay_ms)`,
)
const count = prepared<{ parked: number }>('parked_count', 'select count(*) as parked from parked where lane = $1')

/** How many events of the lane are parked. */
export const countParked = async (db: Tx | Pool, lane: number): Promise<number> =>
  (await count(db, lane))[0]?.parked ?? 0

/**
 * Parks inputs that could not be handled, unchanged and in order.
 * @throws TallyError LANE_FULL if the lane has reached its limit of parked events and must wait
 */
export async function parkInputs(
  tx: Tx,
  lane: number,
  parked: readonly ParkedInput[],
  policy: RetryPolicy,
): Promise<void> {
  if (parked.length === 0) return
  const rows = parked.map((input) => parkedColumnsOf(input, policy))
  const column = <K extends keyof (typeof rows)[number]>(name: K) => rows.map((row) => row[name])
  await park(
    tx,
    lane,
    column('key'),
    column('source'),
    column('topic'),
    column('partition'),
    column('offset'),
    column('eventId'),
    column('type'),
    column('reason'),
    column('error'),
    column('stack'),
    column('headers'),
    column('recordKey'),
    column('recordTime'),
    column('value'),
    column('attempts'),
    column('delayMs'),
  )
  if ((await countParked(tx, lane)) > policy.parkedLimit) {
    throw new TallyError(
      'LANE_FULL',
      `${policy.parkedLimit} events of lane ${lane} are parked already: redrive or drop them (npm run parked -- ls), or raise TALLY_PARKED_LIMIT`,
    )
  }
}

function parkedColumnsOf({ input, reason, error, stack }: ParkedInput, policy: RetryPolicy) {
  const attempts = reason === 'BEHIND' ? 0 : 1
  const common = {
    key: input.key,
    source: input.source,
    reason,
    error: error === undefined ? null : storable(error),
    stack: stack === undefined ? null : storable(stack),
    attempts,
    delayMs: retryDelayMs(reason, attempts, policy) ?? null,
  }
  if (input.source === 'record') {
    const { topic, partition, offset, message, inboxId, event } = input
    return {
      ...common,
      topic,
      partition,
      offset,
      eventId: inboxId,
      type: event?.type ?? null,
      headers: JSON.stringify(storeHeaders(message.headers)),
      recordKey: message.key,
      recordTime: Number.isSafeInteger(Number(message.timestamp)) ? Number(message.timestamp) : null,
      value: message.value,
    }
  }
  return {
    ...common,
    topic: null,
    partition: null,
    offset: null,
    eventId: input.id,
    type: input.kind,
    headers: null,
    recordKey: null,
    recordTime: null,
    value: storeIntent(input),
  }
}
