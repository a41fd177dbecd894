import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { describeError } from '../errors.ts'
import type { Pool } from '../postgres/pool.ts'
import type { Logger } from '../logger.ts'
import { readCurrent } from './generation-table.ts'
import type { Generation } from './generation-table.ts'

const everyMs = 500

export interface WatchOptions {
  pool: Pool
  /** The configuration with the known generation. */
  config: Config
  log: Logger
  /** The generation that the rows of the service's lanes show, where it reads them: nothing is asked while that is the known one. */
  seen?(): number | undefined
}

/**
 * Checks twice a second whether the services were switched to another generation. Correctness does not depend on it: the
 * rows of the lanes refuse writers with another generation.
 * @param changed awaited before the next check; must not throw
 * @returns a function that stops it
 */
export function watchGeneration(
  { pool, config: { namespace, generation }, log, seen = () => undefined }: WatchOptions,
  changed: (generation: Generation) => Promise<void>,
): () => Promise<void> {
  const stopping = new AbortController()
  const { signal } = stopping
  const look = async () => {
    for (let known = generation; !signal.aborted; ) {
      const now =
        seen() === known
          ? undefined
          : await readCurrent(pool, namespace).catch((error: unknown) => {
              log.warn({ error: describeError(error) }, 'cannot read the generation of the topics')
            })
      if (now && now.number !== known && !signal.aborted) {
        log.info({ generation: now.number, partitions: now.partitions }, 'switching to a new generation of the topics')
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
