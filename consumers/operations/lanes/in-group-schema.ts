import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { inTransaction } from '../../../infra/postgres/transaction.ts'
import type { Group } from '../groups.ts'
import { answerWithin } from './answer-within.ts'

/** Runs an operator's work in one transaction that sees the group's schema. @throws TallyError UNREACHABLE */
export const inGroupSchema = <T>(pool: Pool, { schema }: Pick<Group, 'schema'>, work: (tx: Tx) => Promise<T>) =>
  answerWithin(
    'PostgreSQL',
    inTransaction(pool, async (tx) => {
      await tx.query(`set local search_path to ${schema}`)
      return work(tx)
    }),
  )
