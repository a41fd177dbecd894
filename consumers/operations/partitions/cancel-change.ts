import type { Kafka } from 'kafkajs'
import type { Config } from '../../../infra/config.ts'
import { TallyError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { hasSqlState } from '../../../infra/postgres/sqlstates.ts'
import { inTransaction } from '../../../infra/postgres/transaction.ts'
import { deleteGeneration } from './generation-topics.ts'
import { exclusively, forgetBegun, readRows } from './operation.ts'
import type { GenerationRow } from './operation.ts'

/** All generations of the topics, one that is being prepared last; none before the first deployment. */
export async function listGenerations(pool: Pool, namespace: string): Promise<GenerationRow[]> {
  try {
    return await readRows(pool, namespace)
  } catch (error) {
    if (hasSqlState(error, 'undefinedTable')) return []
    throw error
  }
}

/** @throws TallyError NOT_DEPLOYED */
export async function requireDeployed(pool: Pool, namespace: string): Promise<void> {
  if ((await listGenerations(pool, namespace)).length === 0)
    throw new TallyError('NOT_DEPLOYED', 'There are no topics yet: `npm start` or `npm run deploy` makes them')
}

/**
 * Ends a change that has begun but not switched, and deletes its empty topics.
 * @returns the generation that was being prepared
 * @throws TallyError NOT_DEPLOYED, BUSY, PRECONDITION_FAILED if there is none
 */
export async function cancelChange(pool: Pool, kafka: Kafka, config: Config): Promise<GenerationRow> {
  const { namespace } = config
  await requireDeployed(pool, namespace)
  return exclusively(pool, namespace, async () => {
    const begun = (await readRows(pool, namespace)).find(({ switchedAt }) => switchedAt === null)
    if (!begun) throw new TallyError('PRECONDITION_FAILED', 'No change has begun: there is nothing to cancel')
    await inTransaction(pool, async (tx) => {
      await forgetBegun(tx, namespace, begun) // First: until this is committed or rolled back, no run can switch to them
      await deleteGeneration(kafka, config, begun)
    })
    return begun
  })
}
