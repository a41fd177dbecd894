import type { Pool } from '../../infra/postgres/pool.ts'
import { inTransaction } from '../../infra/postgres/transaction.ts'
import { countIds } from '../runtime/tables/inbox/inbox.ts'
import { readSpans } from '../runtime/tables/ledger-account.ts'
import type { Span } from '../runtime/tables/ledger-account.ts'
import { countAudit, readDropped, readHandDecisions } from '../runtime/tables/audit.ts'
import type { AuditCount, DroppedEvent, HandDecision } from '../runtime/tables/audit.ts'
import { reportParked } from '../runtime/tables/parked-figures.ts'
import type { ReportedEvent } from '../runtime/tables/parked-figures.ts'
import { readSkips } from '../runtime/tables/skipped-table.ts'
import type { Skips } from '../runtime/tables/skipped-table.ts'
import type { Group } from './groups.ts'

/** A group's own account of the events it has read. */
export interface GroupAccount extends Skips {
  /** Spans by topic and partition, `orders/3`. */
  ledger: ReadonlyMap<string, readonly Span[]>
  inbox: { rows: number; distinct: number }
  parked: readonly ReportedEvent[]
  /** Outcomes of parked events, and the actions of operators on them. */
  audit: readonly AuditCount[]
  /** Events an operator dropped: they took no effect. */
  dropped: readonly DroppedEvent[]
  /** The last edit or drop of each event that an operator changed. */
  decisions: readonly HandDecision[]
}

/** Reads the whole account in one snapshot; otherwise an event processed meanwhile could appear twice or not at all. */
export const readGroupAccount = (pool: Pool, { schema }: Group): Promise<GroupAccount> =>
  inTransaction(pool, async (tx) => {
    await tx.query('set transaction isolation level repeatable read, read only')
    return {
      ledger: await readSpans(tx, schema),
      inbox: await countIds(tx, schema),
      parked: await reportParked(tx, schema),
      audit: await countAudit(tx, schema),
      dropped: await readDropped(tx, schema),
      decisions: await readHandDecisions(tx, schema),
      ...(await readSkips(tx, schema)),
    }
  })
