import { isStatementError } from '../../infra/postgres/sqlstates.ts'
import { isTallyError, TallyError } from '../../infra/errors.ts'

/**
 * Runs statements that are right in themselves.
 * @throws TallyError UNREACHABLE when the database is away, shutting down or too busy; other errors as they come
 */
export async function reachDatabase<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isTallyError(error) || isStatementError(error)) throw error
    throw new TallyError('UNREACHABLE', 'the database does not answer', { cause: error })
  }
}
