import { setTimeout as delay } from 'node:timers/promises'

export interface SendAllOptions {
  /** Most items in flight; at the limit the source is not read further. */
  maxOutstanding: number
  /** Items per second. Open loop: the schedule does not wait for answers unless too many are outstanding. @default no limit */
  rate?: number
  /** Stops reading the source; in-flight items are still awaited. */
  signal?: AbortSignal
  /** Called after each item with the number of items done. */
  onProgress?: (done: number) => void
}

/**
 * Sends every item of a source concurrently, started in order.
 * @returns the number of items sent
 * @throws the error of the first failed `send`, or of the source, after in-flight items have ended
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
  if (ms > 1) await delay(ms, undefined, { signal }).catch(() => {}) // The caller checks the signal
}
