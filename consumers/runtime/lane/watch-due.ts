import { setTimeout as delay } from 'node:timers/promises'
import { describeError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { Request } from '../batch/process-request.ts'
import { DueWork } from './due-work.ts'
import type { DueLane } from './due-work.ts'
import { dueRows } from '../tables/retry-table.ts'
import { readStandings } from '../tables/pause-table.ts'
import type { ParkedRow } from '../tables/parked-row.ts'
import type { TopicProgress } from './timer-horizon.ts'
import { TimerHorizon } from './timer-horizon.ts'
import { dueTimers } from '../tables/timer-table.ts'
import type { DueTimer } from '../tables/timer-table.ts'

const everyMs = 500
const timersAtOnce = 500

interface WatchedLane extends DueLane {
  pause(reason: string | undefined): void
  overtaken(epoch: number): void
}

export interface WatchOptions {
  pool: Pool
  /** Whether the consumer has timers. */
  timers: boolean
  lanes: ReadonlyMap<number, WatchedLane>
  progress: TopicProgress
  /** Called after each poll with the generation of the topics; undefined if no lane's row states it. */
  generation(generation: number | undefined): void
  log: Logger
}

/**
 * Polls twice a second, in one statement, for lanes that have a newer epoch, that an operator paused or resumed, or
 * that have due timers or parked events; due rows are read and passed to the lanes. Reading a row twice is harmless,
 * because it takes effect only while it exists. No lane's work delays the next poll or another lane's work.
 * @returns a function that stops polling; it resolves when the work in progress has ended
 */
export function watchDue(options: WatchOptions): () => Promise<void> {
  const { pool, lanes, log, timers } = options
  const stopping = new AbortController()
  const horizon = new TimerHorizon(options.progress)
  const parked = new DueWork<ParkedRow>(options, (due) => dueRows(pool, due), parkedRequest)
  const fired = new DueWork<DueTimer>(
    options,
    async (due) => horizon.reached(await dueTimers(pool, due, timersAtOnce)),
    timerRequest,
  )
  const look = async () => {
    options.generation(undefined)
    if (lanes.size === 0) return
    const standings = await readStandings(pool, [...lanes.keys()])
    if (standings.length > 0) options.generation(Math.max(...standings.map((lane) => lane.generation)))
    for (const { lane, epoch, paused } of standings) {
      lanes.get(lane)?.overtaken(epoch)
      lanes.get(lane)?.pause(paused ?? undefined)
    }
    parked.start(standings.filter((lane) => lane.retries).map(({ lane }) => lane))
    if (timers) fired.start(standings.filter((lane) => lane.timers).map(({ lane }) => lane))
  }
  const running = repeat(look, log, stopping.signal)
  return async () => {
    stopping.abort()
    await running
    await Promise.all([parked.idle(), fired.idle()])
  }
}

async function repeat(look: () => Promise<void>, log: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await look().catch((error: unknown) => log.warn({ error: describeError(error) }, unread))
    await delay(everyMs, undefined, { signal }).catch(() => {})
  }
}

const unread = 'due timers and parked events not read'

const parkedRequest = (items: readonly [ParkedRow, ...ParkedRow[]]): Request => ({
  source: 'parked',
  name: `parked/${items[0].id}`,
  items,
})

const timerRequest = (rows: readonly [DueTimer, ...DueTimer[]]): Request => ({
  source: 'timer',
  name: rows[0].id,
  items: rows.map(({ input }) => input),
})
