import { setTimeout as delay } from 'node:timers/promises'
import { describeError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { Request } from '../batch/process-request.ts'
import { dueRows } from '../tables/retry-table.ts'
import { readLaneStatuses } from '../tables/pause-table.ts'
import type { TopicProgress } from './timer-horizon.ts'
import { TimerHorizon } from './timer-horizon.ts'
import { dueTimers } from '../tables/timer-table.ts'

const everyMs = 500
const timersAtOnce = 500

interface WatchedLane {
  readonly number: number
  /** Whether timers and parked events are processed. */
  readonly accepting: boolean
  /** How many inputs may be processed together. */
  readonly limit: number
  serially<T>(work: () => Promise<T>): Promise<T>
  process(request: Request): Promise<boolean>
  pause(reason: string | undefined): void
  overtaken(epoch: number): void
}

export interface WatchOptions {
  pool: Pool
  /** Whether the consumer has timers. */
  timers: boolean
  lanes: ReadonlyMap<number, WatchedLane>
  progress: TopicProgress
  log: Logger
}

/**
 * Polls twice a second for due timers and parked events, for lanes that an operator paused or resumed and for lanes with a
 * newer epoch, and passes them to the lanes. The row decides whether something happens, so reading it twice is harmless.
 * @returns a function that stops polling; it resolves when the work in progress has ended
 */
export function watchDue(options: WatchOptions): () => Promise<void> {
  const stopping = new AbortController()
  const horizon = new TimerHorizon(options.progress)
  const looks = [lookForParked, ...(options.timers ? [(each: WatchOptions) => lookForTimers(each, horizon)] : [])]
  // Concurrently: timers wait for the broker, parked events must not
  const running = Promise.all(looks.map((look) => repeat(look, options, stopping.signal)))
  return async () => {
    stopping.abort()
    await running
  }
}

async function repeat(
  look: (options: WatchOptions) => Promise<void>,
  options: WatchOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await look(options).catch((error: unknown) =>
      options.log.warn({ error: describeError(error) }, 'due timers and parked events not read'),
    )
    await delay(everyMs, undefined, { signal }).catch(() => {})
  }
}

async function lookForParked({ pool, lanes }: WatchOptions): Promise<void> {
  if (lanes.size === 0) return
  for (const { lane, epoch, paused } of await readLaneStatuses(pool)) {
    lanes.get(lane)?.overtaken(epoch)
    lanes.get(lane)?.pause(paused ?? undefined)
  }
  const accepting = acceptingLanes(lanes)
  const due = accepting.length > 0 ? await dueRows(pool, accepting) : []
  await handOut(due, lanes, (items) => ({ source: 'parked', name: `parked/${items[0].id}`, items }))
}

async function lookForTimers({ pool, lanes }: WatchOptions, horizon: TimerHorizon): Promise<void> {
  const accepting = acceptingLanes(lanes)
  const due = accepting.length > 0 ? await horizon.reached(await dueTimers(pool, accepting, timersAtOnce)) : []
  await handOut(due, lanes, (rows) => ({
    source: 'timer',
    name: rows[0].id,
    items: rows.map(({ input }) => input),
  }))
}

const acceptingLanes = (lanes: WatchOptions['lanes']): number[] =>
  [...lanes.values()].filter((lane) => lane.accepting).map((lane) => lane.number)

type ToRequest<Row> = (rows: readonly [Row, ...Row[]]) => Request

const handOut = <Row extends { lane: number }>(
  rows: readonly Row[],
  lanes: WatchOptions['lanes'],
  toRequest: ToRequest<Row>,
): Promise<unknown> =>
  Promise.all([...Map.groupBy(rows, ({ lane }) => lane)].map(([lane, own]) => hand(lanes.get(lane), own, toRequest)))

/** In the lane's turn, with as many rows in a request as the lane may process together. */
async function hand<Row>(
  lane: WatchedLane | undefined,
  rows: readonly Row[],
  toRequest: ToRequest<Row>,
): Promise<void> {
  await lane?.serially(async () => {
    for (let start = 0; lane.accepting; ) {
      const [first, ...more] = rows.slice(start, start + Math.min(rows.length, lane.limit))
      if (!first || !(await lane.process(toRequest([first, ...more])))) return
      start += 1 + more.length
    }
  })
}
