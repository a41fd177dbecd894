import pg from 'pg'
import { isTallyError, TallyError } from '../../infra/errors.ts'

/** Classes of SQL states that are the statement's own fault: 22 data, 23 constraint, 42 syntax or unknown name. */
const ownFault = /^(22|23|42)/

/**
 * Runs statements that are right in themselves.
 * @throws TallyError UNREACHABLE when the database is away, shutting down or too busy; other errors as they come
 */
export async function reachDatabase<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isTallyError(error) || (error instanceof pg.DatabaseError && ownFault.test(error.code ?? ''))) throw error
    throw new TallyError('UNREACHABLE', 'the database does not answer', { cause: error })
  }
}
