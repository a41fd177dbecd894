import type { Tx } from '../../infra/postgres.ts'
import { prepared } from '../../infra/postgres.ts'
import type { ParkedInput } from './decide.ts'

const blocked = prepared<{ key: string }>(
  'parked_keys',
  'select distinct key from parked where lane = $1 and key = any($2::text[])',
)

/** Keys of the batch that already have something parked: what comes now queues behind it. */
export async function blockedKeys(tx: Tx, lane: number, keys: readonly string[]): Promise<Set<string>> {
  return new Set((await blocked(tx, lane, keys)).map((row) => row.key))
}

const park = prepared(
  'parked_add',
  `insert into parked (lane, key, source, topic, partition, "offset", event_id, type, reason, error, headers, record_key, value)
   select $1, t.* from unnest($2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::uuid[], $8::text[], $9::text[],
     $10::text[], $11::json[], $12::bytea[], $13::bytea[]) as t`,
)

/** Stores inputs that could not be handled, as they came, in the order they came. */
export async function parkInputs(tx: Tx, lane: number, parked: readonly ParkedInput[]): Promise<void> {
  if (parked.length === 0) return
  const rows = parked.map(parkedRow)
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
    column('headers'),
    column('recordKey'),
    column('value'),
  )
}

function parkedRow({ input, reason, error }: ParkedInput) {
  const common = { key: input.key, source: input.source, reason, error: error?.replaceAll('\0', '\uFFFD') ?? null }
  if (input.source === 'record') {
    const { topic, partition, offset, message, inboxId, event } = input
    return {
      ...common,
      topic,
      partition,
      offset,
      eventId: inboxId,
      type: event?.type ?? null,
      headers: JSON.stringify(message.headers ?? {}, (_, value: unknown) => textOfBuffer(value)),
      recordKey: message.key,
      value: message.value,
    }
  }
  const { id, kind, cause } = input
  const value = Buffer.from(JSON.stringify(input.source === 'answer' ? { cause, answer: input.answer } : { cause }))
  return {
    ...common,
    topic: null,
    partition: null,
    offset: null,
    eventId: id,
    type: kind,
    headers: null,
    recordKey: null,
    value,
  }
}

/** Header values are bytes; JSON.stringify has already turned a Buffer into `{ type: 'Buffer', data }` here. */
function textOfBuffer(value: unknown): unknown {
  const bytes = value as { type?: unknown; data?: unknown } | null
  return bytes?.type === 'Buffer' && Array.isArray(bytes.data)
    ? Buffer.from(bytes.data as number[]).toString('utf8')
    : value
}
