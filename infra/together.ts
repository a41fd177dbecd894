/**
 * Waits for all of them, also when one fails: what is still under way of a transaction that is rolled back would go on
 * outside it.
 * @throws what failed first in time, which in a transaction is the cause of the failures after it
 */
export async function together<T extends readonly unknown[]>(
  ...work: T
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  let first: { error: unknown } | undefined
  const noted = work.map(async (each) => {
    try {
      return await each
    } catch (error) {
      first ??= { error }
      return undefined
    }
  })
  const results = await Promise.all(noted)
  if (first) throw first.error
  return results as { -readonly [K in keyof T]: Awaited<T[K]> }
}
