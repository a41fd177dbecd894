import { describeError } from '../../../infra/errors.ts'
import type { Notices } from '../../../infra/notices/notices.ts'
import { Polling } from '../../../infra/notices/polling.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { Request } from '../batch/process-request.ts'
import { DueWork } from './due-work.ts'
import type { DueLane } from './due-work.ts'
import { dueRows } from '../tables/retry-table.ts'
import { readStandings } from '../tables/pause-table.ts'
import type { LaneStanding } from '../tables/pause-table.ts'
import type { ParkedRow } from '../tables/parked-row.ts'
import type { TopicProgress } from './timer-horizon.ts'
import { TimerHorizon } from './timer-horizon.ts'
import { dueTimers } from '../tables/timer-table.ts'
import type { DueTimer } from '../tables/timer-table.ts'

/** An idle lane's due times are known, and what others change is told: then a look only replaces lost notices. */
const pace = { leastMs: 100, soonMs: 500, seldomMs: 4_000 }
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
  notices: Notices
  /** Called after each poll with the generation of the topics; undefined if no lane's row states it. */
  generation(generation: number | undefined): void
  log: Logger
}

export interface DueWatch {
  /** Call after work that may have left something due soon. */
  stir(): void
  /** Stops looking; resolves when the work in progress has ended. */
  stop(): Promise<void>
}

/**
 * Looks, in one statement, for lanes that have a newer epoch, that an operator paused or resumed, or that have due timers
 * or parked events: at once after a notice, twice a second while there is work, and seldom otherwise. Due rows are read
 * and passed to the lanes. Reading a row twice is harmless, because it takes effect only while it exists. No lane's work
 * delays the next look or another lane's work.
 */
export function watchDue(options: WatchOptions): DueWatch {
  const { pool, lanes, log, timers, notices } = options
  const stopping = new AbortController()
  const horizon = new TimerHorizon(options.progress)
  const parked = new DueWork<ParkedRow>(options, (due) => dueRows(pool, due, lanes.size), parkedRequest)
  const fired = new DueWork<DueTimer>(
    options,
    async (due) => horizon.reached(await dueTimers(pool, due, timersAtOnce)),
    timerRequest,
  )
  const look = async () => {
    const standings = lanes.size === 0 ? [] : await readStandings(pool, [...lanes.keys()])
    options.generation(standings.length > 0 ? Math.max(...standings.map((lane) => lane.generation)) : undefined)
    for (const { lane, epoch, paused } of standings) {
      lanes.get(lane)?.overtaken(epoch)
      lanes.get(lane)?.pause(paused ?? undefined)
    }
    parked.start(standings.filter(({ retryMs }) => isDue(retryMs)).map(({ lane }) => lane))
    if (timers) fired.start(standings.filter(({ timerMs }) => isDue(timerMs)).map(({ lane }) => lane))
    return nextDue(standings, timers)
  }
  const polling = new Polling({ ...pace, notices })
  const running = polling.run(
    () =>
      look().catch((error: unknown) => {
        options.generation(undefined)
        log.warn({ error: describeError(error) }, unread)
        return 0
      }),
    stopping.signal,
  )
  return {
    stir: () => polling.stir(),
    async stop() {
      stopping.abort()
      await running
      await Promise.all([parked.idle(), fired.idle()])
    },
  }
}

const isDue = (ms: number | null): boolean => ms !== null && ms <= 0

/** Time until something is due in a lane that is not paused, ms; undefined if nothing is. */
function nextDue(standings: readonly LaneStanding[], timers: boolean): number | undefined {
  const times = standings.flatMap(({ paused, retryMs, timerMs }) =>
    paused === null ? [retryMs, timers ? timerMs : null].filter((ms) => ms !== null) : [],
  )
  return times.length > 0 ? Math.min(...times) : undefined
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
