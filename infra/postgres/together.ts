import { hasSqlState } from './sqlstates.ts'

/**
 * Waits for all of these parts of a transaction, even when one fails: statements still in flight at the rollback would run
 * outside the transaction.
 * @throws the first error, except an answer that only reports an earlier failure
 */
export async function together<T extends readonly unknown[]>(
  ...work: T
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  let first: { error: unknown } | undefined
  const noted = work.map(async (each) => {
    try {
      return await each
    } catch (error) {
      if (!first || isConsequence(first.error)) first = { error }
      return undefined
    }
  })
  const results = await Promise.all(noted)
  if (first) throw first.error
  return results as { -readonly [K in keyof T]: Awaited<T[K]> }
}

/** PostgreSQL's answer to every statement after the one that failed; the error of that one may arrive later. */
const isConsequence = (error: unknown): boolean => hasSqlState(error, 'inFailedTransaction')
