import { quoteIdentifier } from '../../../infra/postgres/identifiers.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import { placeOrSource } from './parked-figures.ts'
import type { StoredHeaders } from './parked-row.ts'

/** Who acts on parked events, and why. */
export interface Actor {
  readonly actor: string
  readonly why?: string
}

/** An audited action on a parked event. */
export interface LogEntry {
  readonly id: number
  readonly parkedId: number
  readonly lane: number
  readonly key: string
  readonly source: string
  readonly place: string | null
  readonly eventId: string | null
  readonly action: 'HANDLED' | 'DUPLICATE' | 'DROPPED' | 'EDITED' | 'REDRIVE_ASKED'
  readonly actor: string
  readonly why: string | null
  readonly at: Date
}

export interface AuditEntry extends LogEntry {
  /** The value before an edit or a drop. */
  readonly before: Buffer | null
  /** The value after an edit. */
  readonly after: Buffer | null
  readonly headers: StoredHeaders | null
}

const note = prepared(
  'parked_audit_note',
  `insert into parked_audit (parked_id, lane, key, source, topic, partition, "offset", event_id, action, actor, why, before, after, headers)
   select id, lane, key, source, topic, partition, "offset", event_id, $2, $3, $4,
     case when $2 = 'REDRIVE_ASKED' then null else value end, $5,
     case when $2 = 'REDRIVE_ASKED' then null else headers end
   from parked where id = any($1::bigint[]) order by id`,
)

/** Records an action on parked events. Call it before the action, in the same transaction. */
export const noteAction = (
  tx: Tx,
  ids: readonly number[],
  action: 'DROPPED' | 'EDITED' | 'REDRIVE_ASKED',
  { actor, why }: Actor,
  after: Buffer | null = null,
): Promise<unknown> => note(tx, ids, action, actor, why ?? null, after)

const logColumns = `id, parked_id as "parkedId", lane, key, source, topic || '/' || partition || ' offset ' || "offset" as place,
     event_id as "eventId", action, actor, why, at`

const read = prepared<{ [K in keyof AuditEntry]: AuditEntry[K] }>(
  'parked_audit_read',
  `select ${logColumns}, before, after, headers from parked_audit where parked_id = any($1::bigint[]) order by id`,
)

/** Audited actions on these events, oldest first; the only trace of events that are no longer parked. */
export const readAudit = (pool: Pool, ids: readonly number[]): Promise<AuditEntry[]> => read(pool, ids)

export interface LogFilter {
  readonly keys?: readonly string[]
  readonly since?: Date
  /** A record, named like `orders/3:1200`. */
  readonly record?: string
  readonly limit: number
}

const logOf = (name: string, keys: string) =>
  prepared<{ [K in keyof LogEntry]: LogEntry[K] }>(
    name,
    `select ${logColumns} from parked_audit
     where ${keys} and ($2::timestamptz is null or at >= $2)
       and ($3::text is null or topic || '/' || partition || ':' || "offset" = $3)
     order by id desc limit $4`,
  )
const log = logOf('parked_audit_log', '$1::text[] is null')
const logOfKeys = logOf('parked_audit_log_of_keys', 'key = any($1::text[])') // Alone, the condition finds its index

/** Audited actions on parked events, newest first. */
export const readLog = (pool: Pool, { keys, since, record, limit }: LogFilter): Promise<LogEntry[]> =>
  (keys ? logOfKeys : log)(pool, keys ?? null, since ?? null, record ?? null, limit)

const gone = prepared<{ action: string; events: number }>(
  'parked_gone',
  `select action, count(*) as events from parked_audit where parked_id = any($1::bigint[])
     and action in ('HANDLED', 'DUPLICATE', 'DROPPED') group by action`,
)

/** How many of these events are no longer parked, by the action that ended each. */
export const countGone = async (pool: Pool, ids: readonly number[]): Promise<Map<string, number>> =>
  new Map((await gone(pool, ids)).map(({ action, events }) => [action, events]))

/**
 * Whether the schema has the audit table, that is, whether the group is deployed. Not by the search path, which skips a
 * schema that the user may not use.
 */
export async function auditExists(pool: Pool, schema: string): Promise<boolean> {
  const { rows } = await pool.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
    `${quoteIdentifier(schema)}.parked_audit`,
  ])
  return rows[0]?.there ?? false
}

/** Offsets `[from, to)` of a partition; topic without namespace. */
export interface Range {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly to: number
}

const decisions = prepared<{ place: string; action: 'DROPPED' | 'EDITED'; after: Buffer | null }>(
  'replay_decisions',
  `select distinct on (topic, partition, "offset")
     topic || '/' || partition || '/' || "offset" as place, action, after
   from parked_audit join unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[])
     as range (topic, partition, first, until) using (topic, partition)
   where source = 'record' and action in ('DROPPED', 'EDITED') and "offset" >= first and "offset" < until
   order by topic, partition, "offset", id desc`,
)

/** The last edit or drop of each record of these ranges. */
export const readLastDecisions = (
  db: Pool | Tx,
  ranges: readonly Range[],
): Promise<{ place: string; action: 'DROPPED' | 'EDITED'; after: Buffer | null }[]> =>
  decisions(
    db,
    ranges.map(({ topic }) => topic),
    ranges.map(({ partition }) => partition),
    ranges.map(({ from }) => from),
    ranges.map(({ to }) => to),
  )

const droppedHeads = prepared<{ head: Buffer; records: number }>(
  'replay_dropped_heads',
  `select substring(before from 1 for 5) as head, count(*) as records from (
     select distinct on (topic, partition, "offset") action, before
     from parked_audit join unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[])
       as range (topic, partition, first, until) using (topic, partition)
     where source = 'record' and action in ('DROPPED', 'EDITED') and "offset" >= first and "offset" < until
     order by topic, partition, "offset", id desc) as decided
   where action = 'DROPPED' and length(before) >= 5 group by 1`,
)

/** How many records of these ranges operators dropped in the end, by the first five bytes of their values. */
export const countDroppedHeads = (
  db: Pool | Tx,
  ranges: readonly Range[],
): Promise<{ head: Buffer; records: number }[]> =>
  droppedHeads(
    db,
    ranges.map(({ topic }) => topic),
    ranges.map(({ partition }) => partition),
    ranges.map(({ from }) => from),
    ranges.map(({ to }) => to),
  )

const last = prepared<{ id: number | null }>(
  'replay_last_decision',
  `select max(id) as id from parked_audit where lane = $1 and action in ('DROPPED', 'EDITED')`,
)

/**
 * Increases with each edit or drop in the lane. Read under the lane's lock, it tells whether decisions read earlier are
 * still complete. Ids of different lanes may be committed out of order.
 */
export const lastDecision = async (db: Pool | Tx, lane: number): Promise<number> => (await last(db, lane))[0]?.id ?? 0

/** The last edit or drop of a parked event. */
export interface HandDecision {
  action: 'DROPPED' | 'EDITED'
  key: string
  /** Place of the record, `topic/partition/offset`; null for an answer or a timer. */
  record: string | null
  /** The value after an edit. */
  after: Buffer | null
  actor: string
  why: string | null
}

/** What operators decided last about each event of a group that was ever parked. @param schema quoted */
export const readHandDecisions = async (tx: Tx, schema: string): Promise<HandDecision[]> =>
  (
    await tx.query<HandDecision>(
      `select distinct on (parked_id) action, key, topic || '/' || partition || '/' || "offset" as record, after, actor, why
       from ${schema}.parked_audit where action in ('DROPPED', 'EDITED') order by parked_id, id desc`,
    )
  ).rows

/** The number of audited actions, by action and source. */
export interface AuditCount {
  action: string
  source: string
  events: number
}

/** An event that an operator dropped; it took no effect. */
export interface DroppedEvent {
  key: string
  place: string
  actor: string
  why: string | null
}

/** Those whose rows have left by age included. @param schema quoted */
export const countAudit = async (tx: Tx, schema: string): Promise<AuditCount[]> =>
  (
    await tx.query<AuditCount>(
      `select action, source, sum(events)::bigint as events from (
         select action, source, count(*) as events from ${schema}.parked_audit group by 1, 2
         union all
         select split_part(detail, ' ', 1), split_part(detail, ' ', 2), rows from ${schema}.retired where what = 'audit'
       ) as each group by 1, 2`,
    )
  ).rows

/** All dropped events of a group. @param schema quoted */
export const readDropped = async (tx: Tx, schema: string): Promise<DroppedEvent[]> =>
  (
    await tx.query<DroppedEvent>(
      `select key, ${placeOrSource} as place, actor, why from ${schema}.parked_audit where action = 'DROPPED' order by id`,
    )
  ).rows
