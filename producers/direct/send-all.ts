import { setTimeout as delay } from 'node:timers/promises'

export interface SendAllOptions {
  /** So many may be under way at once; then the source is not read on. */
  maxOutstanding: number
  /** Per second. Open loop: the schedule does not wait for answers, except where too many are outstanding. @default no limit */
  rate?: number
  /** Stops reading the source; what is under way is waited for. */
  signal?: AbortSignal
  /** How many are done, each time one more is. */
  onProgress?: (done: number) => void
}

/**
 * Sends every item of a source, many at once, started in order.
 * @returns how many were sent
 * @throws what the first failed `send`, or the source, threw; items under way have ended by then
 */
export async function sendAll<T>(
  items: Iterable<T> | AsyncIterable<T>,
  send: (item: T) => Promise<unknown>,
  { maxOutstanding, rate, signal, onProgress }: SendAllOptions,
): Promise<number> {
  const startedAt = performance.now()
  let [started, done, outstanding] = [0, 0, 0]
  let failure: { error: unknown } | undefined
  let settled = Promise.withResolvers<void>()

  const start = async (item: T) => {
    outstanding++
    try {
      await send(item)
      done++
      onProgress?.(done)
    } catch (error) {
      failure ??= { error }
    } finally {
      outstanding--
      settled.resolve()
    }
  }
  const untilAtMost = async (limit: number) => {
    while (outstanding > limit) {
      settled = Promise.withResolvers<void>()
      await settled.promise
    }
  }

  try {
    for await (const item of items) {
      if (rate !== undefined) await until(startedAt + (started * 1_000) / rate, signal)
      await untilAtMost(maxOutstanding - 1)
      if (failure || signal?.aborted) break
      started++
      void start(item)
    }
  } catch (error) {
    failure ??= { error }
  }
  await untilAtMost(0)
  if (failure) throw failure.error
  return done
}

/** Resolves at a time of `performance.now()`, or when aborted. */
async function until(time: number, signal: AbortSignal | undefined): Promise<void> {
  const ms = time - performance.now()
  if (ms > 1) await delay(ms, undefined, { signal }).catch(() => {}) // The caller looks at the signal
}
