import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { describeError } from '../errors.ts'
import type { Pool } from '../postgres/pool.ts'
import type { Logger } from '../logger.ts'
import { readCurrent } from './generation-table.ts'
import type { Generation } from './generation-table.ts'

const everyMs = 250

export interface WatchOptions {
  pool: Pool
  /** With the generation that is known. */
  config: Config
  log: Logger
}

/**
 * Looks four times a second whether the services have been switched to another generation. Nothing depends on it being quick:
 * the lanes' rows refuse whoever knows another.
 * @param changed is awaited before the next look; must not throw
 * @returns stops looking
 */
export function watchGeneration(
  { pool, config: { namespace, generation }, log }: WatchOptions,
  changed: (generation: Generation) => Promise<void>,
): () => Promise<void> {
  const stopping = new AbortController()
  const { signal } = stopping
  const look = async () => {
    for (let known = generation; !signal.aborted; ) {
      const now = await readCurrent(pool, namespace).catch((error: unknown) => {
        log.warn({ error: describeError(error) }, 'could not look for the generation of the topics')
      })
      if (now && now.number !== known && !signal.aborted) {
        log.info({ generation: now.number, partitions: now.partitions }, 'the topics have a new generation')
        known = now.number
        await changed(now)
      }
      await delay(everyMs, undefined, { signal }).catch(() => {})
    }
  }
  const looking = look()
  return async () => {
    stopping.abort()
    await looking
  }
}
