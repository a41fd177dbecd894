import { setTimeout as delay } from 'node:timers/promises'
import { describeError } from '../../infra/errors.ts'
import type { Pool } from '../../infra/postgres.ts'
import type { Logger } from '../../infra/telemetry.ts'
import type { TimerInput } from './input.ts'
import { dueTimers } from './timer-table.ts'

const everyMs = 500
const atOnce = 1_000

interface TimedLane {
  readonly number: number
  readonly phase: string
  fire(timers: readonly TimerInput[]): Promise<boolean>
}

/**
 * Looks twice a second for timers that have come due and hands them to their lanes. The timer's row decides whether it
 * fires, so looking twice at the same one is harmless.
 * @returns stops looking; resolves when no timer is under way
 */
export function watchTimers(pool: Pool, lanes: ReadonlyMap<number, TimedLane>, log: Logger): () => Promise<void> {
  const stopping = new AbortController()
  const loop = async () => {
    while (!stopping.signal.aborted) {
      try {
        const live = [...lanes.values()].filter((lane) => lane.phase === 'live').map((lane) => lane.number)
        const due = live.length > 0 ? await dueTimers(pool, live, atOnce) : new Map<number, TimerInput[]>()
        await Promise.all([...due].map(async ([lane, timers]) => lanes.get(lane)?.fire(timers)))
      } catch (error) {
        log.warn({ error: describeError(error) }, 'could not look for timers')
      }
      await delay(everyMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }
  const running = loop()
  return () => {
    stopping.abort()
    return running
  }
}
