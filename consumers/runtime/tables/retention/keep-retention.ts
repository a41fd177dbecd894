import { setTimeout as delay } from 'node:timers/promises'
import { describeError } from '../../../../infra/errors.ts'
import type { Logger } from '../../../../infra/logger.ts'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import { sweepSlice } from './sweep.ts'
import type { Retirement } from './sweep.ts'

const lookMs = 10 * 60_000
/** Between two slices: batches have the database meanwhile. */
const restMs = 100

/**
 * Deletes old rows in the background, a slice at a time, whenever a pass is due.
 * @returns stops it
 */
export function keepRetention(pool: Pool, retirements: readonly Retirement[], log: Logger): () => void {
  if (retirements.length === 0) return () => {}
  const stopping = new AbortController()
  const { signal } = stopping
  const sweep = async () => {
    for (const each of retirements)
      while (!signal.aborted && (await sweepSlice(pool, each)) !== undefined)
        await delay(restMs, undefined, { signal, ref: false })
  }
  const keep = async () => {
    while (!signal.aborted) {
      await sweep().catch((error: unknown) => {
        if (!signal.aborted) log.warn({ error: describeError(error) }, 'old rows could not be deleted')
      })
      await delay(lookMs, undefined, { signal, ref: false }).catch(() => {}) // Stopped: the loop ends
    }
  }
  void keep()
  return () => stopping.abort()
}
