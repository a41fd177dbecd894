import { replaySchema } from '../replay/replay-schema.ts'
import type { ReplayRow } from '../replay/run/replay-table.ts'
import { endItFirst } from '../replay/run/target-lock.ts'
import { readStopped } from '../../runtime/tables/lane-state.ts'
import { readPauses } from '../../runtime/tables/pause-table.ts'
import { TallyError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import type { Services } from './services.ts'

/**
 * @throws TallyError PRECONDITION_FAILED while a replay has not ended: its plan names partitions. None begins until the
 * transaction ends
 */
export async function refuseReplays(tx: Tx, namespace: string): Promise<void> {
  const table = `"${replaySchema(namespace)}".replay`
  await tx.query(`lock table ${table} in share mode`)
  const { rows } = await tx.query<Pick<ReplayRow, 'id' | 'target' | 'state'>>(
    `select id, target, state from ${table} where state in ('running', 'paused', 'stopped') order by id limit 1`,
  )
  const [open] = rows
  if (open) throw new TallyError('PRECONDITION_FAILED', endItFirst(open))
}

/** Lanes that do not resume without an operator: paused or stopped ones. */
export async function standingLanes(
  pool: Pool,
  { groups }: { readonly groups: readonly Pick<Services['groups'][number], 'name' | 'schema'>[] },
): Promise<string[]> {
  const found: string[] = []
  for (const { name, schema } of groups) {
    const [paused, stopped] = await Promise.all([readPauses(pool, schema), readStopped(pool, schema)])
    for (const { lane, reason } of paused)
      found.push(`lane ${lane} of ${name} is paused: ${reason}; npm run lanes -- resume ${name}`)
    for (const { lane, reason } of stopped) found.push(`lane ${lane} of ${name} is stopped: ${reason}`)
  }
  return found
}
