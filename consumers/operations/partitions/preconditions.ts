import { replaySchema } from '../replay/replay-schema.ts'
import type { ReplayRow } from '../replay/run/replay-table.ts'
import { endItFirst } from '../replay/run/target-lock.ts'
import { TallyError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import type { Services } from './services.ts'

/** @throws TallyError PRECONDITION_FAILED while a replay has not ended: its plan names partitions. None begins until the transaction ends */
export async function refuseReplays(tx: Tx, namespace: string): Promise<void> {
  const table = `"${replaySchema(namespace)}".replay`
  await tx.query(`lock table ${table} in share mode`)
  const { rows } = await tx.query<Pick<ReplayRow, 'id' | 'target' | 'state'>>(
    `select id, target, state from ${table} where state in ('running', 'paused', 'stopped') order by id limit 1`,
  )
  const [open] = rows
  if (open) throw new TallyError('PRECONDITION_FAILED', endItFirst(open))
}

/** What will not get better by waiting: lanes a person has paused, or that wait for one. */
export async function standingLanes(pool: Pool, { groups }: Services): Promise<string[]> {
  const found: string[] = []
  for (const { name, schema } of groups) {
    const { rows } = await pool.query<{ lane: number; why: string }>(
      `select lane, 'is paused: ' || reason as why from ${schema}.pause union all
       select lane, 'is stopped: ' || reason from ${schema}.lane_state where phase = 'stopped' order by lane`,
    )
    for (const { lane, why } of rows) found.push(`lane ${lane} of ${name} ${why}`)
  }
  return found
}
