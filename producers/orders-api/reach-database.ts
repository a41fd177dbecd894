import { isStatementError } from '../../infra/postgres/sqlstates.ts'
import { isTallyError, TallyError } from '../../infra/errors.ts'

/**
 * Runs statements that are known to be valid.
 * @throws TallyError UNREACHABLE when the database does not answer, shuts down or is too busy; other errors unchanged
 */
export async function reachDatabase<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isTallyError(error) || isStatementError(error)) throw error
    throw new TallyError('UNREACHABLE', 'the database does not answer', { cause: error })
  }
}
