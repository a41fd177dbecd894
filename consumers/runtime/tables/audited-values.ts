import type { Pool } from '../../../infra/postgres/pool.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'

/** The values that the audit of one event holds. */
export interface AuditedValues {
  readonly id: number
  readonly source: string
  readonly before: Buffer | null
  readonly after: Buffer | null
}

const read = prepared<{ [K in keyof AuditedValues]: AuditedValues[K] }>(
  'parked_audit_values',
  `select id, source, before, after from parked_audit
   where key = any($1::text[]) and (before is not null or after is not null) order by id`,
)

/** The values of these keys; no index leads to them. */
export const readAuditedValues = (pool: Pool, keys: readonly string[]): Promise<AuditedValues[]> => read(pool, keys)

const change = prepared(
  'parked_audit_change',
  `update parked_audit set before = new.before, after = new.after
   from unnest($1::bigint[], $2::bytea[], $3::bytea[]) as new (id, before, after) where parked_audit.id = new.id`,
)

/** Replaces values: what was done, by whom and why stays. */
export async function changeAudited(pool: Pool, values: readonly Omit<AuditedValues, 'source'>[]): Promise<void> {
  if (values.length === 0) return
  await change(
    pool,
    values.map(({ id }) => id),
    values.map(({ before }) => before),
    values.map(({ after }) => after),
  )
}
