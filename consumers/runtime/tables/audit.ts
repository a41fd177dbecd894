import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import type { StoredHeaders } from './parked-row.ts'

/** Who acts on parked events, and why. */
export interface Actor {
  readonly actor: string
  readonly why?: string
}

/** An act on a parked event. */
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

/** Records an act on parked events. Call it before the act, in the same transaction. */
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

/** Acts on these events, oldest first; the only trace of events that are no longer parked. */
export const readAudit = (pool: Pool, ids: readonly number[]): Promise<AuditEntry[]> => read(pool, ids)

export interface LogFilter {
  readonly keys?: readonly string[]
  readonly since?: Date
  /** A record, named like `orders/3:1200`. */
  readonly record?: string
  readonly limit: number
}

const log = prepared<{ [K in keyof LogEntry]: LogEntry[K] }>(
  'parked_audit_log',
  `select ${logColumns} from parked_audit
   where ($1::text[] is null or key = any($1)) and ($2::timestamptz is null or at >= $2)
     and ($3::text is null or topic || '/' || partition || ':' || "offset" = $3)
   order by id desc limit $4`,
)

/** Acts on parked events, the newest first. */
export const readLog = (pool: Pool, { keys, since, record, limit }: LogFilter): Promise<LogEntry[]> =>
  log(pool, keys ?? null, since ?? null, record ?? null, limit)

const gone = prepared<{ action: string; events: number }>(
  'parked_gone',
  `select action, count(*) as events from parked_audit where parked_id = any($1::bigint[])
     and action in ('HANDLED', 'DUPLICATE', 'DROPPED') group by action`,
)

/** How many of these events have left, by the action that ended each. */
export const countGone = async (pool: Pool, ids: readonly number[]): Promise<Map<string, number>> =>
  new Map((await gone(pool, ids)).map(({ action, events }) => [action, events]))

/** Whether the schema has the table: the group is deployed. */
export async function auditExists(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query<{ there: boolean }>(`select to_regclass('parked_audit') is not null as there`)
  return rows[0]?.there ?? false
}
