import { describeError } from '../../infra/errors.ts'
import { isDataError } from '../../infra/postgres/sqlstates.ts'
import type { Tx } from '../../infra/postgres/transaction.ts'
import type { Applied } from '../runtime/batch/apply-batch.ts'

/** Lifts the limits of a lane's owner: if an operation applies a batch, failures are reported and not parked. */
export const withoutLimits = {
  policy: { retryLimit: 0, retryFirstMs: 0, parkedLimit: Number.POSITIVE_INFINITY },
  breaker: { objection: () => undefined, record: () => {} },
}

export type Attempt<State, Row> =
  | { readonly applied: Applied<State, Row> }
  /** What the database reported; `cause` is its error. */
  | { readonly refused: string; readonly cause: unknown }

/**
 * Applies a batch after a savepoint in an open transaction. If the database refuses it or `keep` returns false, the
 * batch is rolled back and the transaction stays usable.
 * @throws errors that are not due to the batch's data
 */
export async function tryBatch<State, Row>(
  tx: Tx,
  apply: () => Promise<Applied<State, Row>>,
  keep: (applied: Applied<State, Row>) => boolean = () => true,
): Promise<Attempt<State, Row>> {
  await tx.query('savepoint batch')
  try {
    const applied = await apply()
    await tx.query(keep(applied) ? 'set constraints all immediate' : 'rollback to savepoint batch') // Deferred constraints fail now, not at the commit
    await tx.query('release savepoint batch')
    return { applied }
  } catch (cause) {
    if (!isDataError(cause)) throw cause
    await tx.query('rollback to savepoint batch')
    return { refused: describeError(cause), cause }
  }
}
