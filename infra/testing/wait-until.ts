import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Polls until `condition` returns a truthy value, and returns it. The only way in which tests wait.
 * @param what named in the failure: "order 17 completed"
 * @throws Error after the deadline, with the last error or answer
 */
export async function waitUntil<T>(
  what: string,
  condition: () => Promise<T> | T,
  { withinMs = 60_000, everyMs = 25 }: { withinMs?: number; everyMs?: number } = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + withinMs
  for (;;) {
    let last: unknown
    try {
      const answer = await condition()
      if (answer) return answer
      last = answer
    } catch (error) {
      last = error
    }
    if (performance.now() > deadline) {
      const seen = last instanceof Error ? last.message : JSON.stringify(last)
      throw new Error(`Not within ${withinMs} ms: ${what}. Last: ${seen}`, { cause: last })
    }
    await sleep(everyMs)
  }
}
