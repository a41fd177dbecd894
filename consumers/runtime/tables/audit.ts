import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import type { StoredHeaders } from './parked-row.ts'

/** Who does something to parked events, and why. */
export interface Actor {
  readonly actor: string
  readonly why?: string
}

export interface AuditEntry {
  readonly parkedId: number
  readonly lane: number
  readonly key: string
  readonly source: string
  readonly place: string | null
  readonly eventId: string | null
  readonly action: 'HANDLED' | 'DUPLICATE' | 'DROPPED' | 'EDITED' | 'REDRIVE_ASKED'
  readonly actor: string
  readonly why: string | null
  /** The value before an edit or a drop. */
  readonly before: Buffer | null
  /** The value after an edit. */
  readonly after: Buffer | null
  readonly headers: StoredHeaders | null
  readonly at: Date
}

const note = prepared(
  'parked_audit_note',
  `insert into parked_audit (parked_id, lane, key, source, topic, partition, "offset", event_id, action, actor, why, before, after, headers)
   select id, lane, key, source, topic, partition, "offset", event_id, $2, $3, $4,
     case when $2 = 'REDRIVE_ASKED' then null else value end, $5,
     case when $2 = 'REDRIVE_ASKED' then null else headers end
   from parked where id = any($1::bigint[]) order by id`,
)

/** Writes down what is about to be done to parked events; call it before it is done, in the same transaction. */
export const noteAction = (
  tx: Tx,
  ids: readonly number[],
  action: 'DROPPED' | 'EDITED' | 'REDRIVE_ASKED',
  { actor, why }: Actor,
  after: Buffer | null = null,
): Promise<unknown> => note(tx, ids, action, actor, why ?? null, after)

const read = prepared<AuditEntry>(
  'parked_audit_read',
  `select parked_id as "parkedId", lane, key, source, topic || '/' || partition || ' offset ' || "offset" as place,
     event_id as "eventId", action, actor, why, before, after, headers, at
   from parked_audit where parked_id = any($1::bigint[]) order by id`,
)

/** What was done to these events so far, oldest first; the only trace of those that have left. */
export const readAudit = (pool: Pool, ids: readonly number[]): Promise<AuditEntry[]> => read(pool, ids)
