/**
 * Waits for all of these parts of a transaction, also when one fails: what is still under way when it is rolled back would
 * go on outside it.
 * @throws what failed first, but no refusal that only says that something has failed before it
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

/** What PostgreSQL answers to every statement after the one that failed; a cause with a longer way home may come later. */
const isConsequence = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '25P02'
