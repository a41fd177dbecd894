import { setTimeout as delay } from 'node:timers/promises'
import { describeError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/postgres.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import type { Request } from './lane-context.ts'
import { readRetries } from '../batch/read-retries.ts'
import { dueRows } from '../tables/retry-table.ts'
import { readStanding } from '../tables/pause-table.ts'
import type { TopicProgress } from './timer-horizon.ts'
import { TimerHorizon } from './timer-horizon.ts'
import { dueTimers } from '../tables/timer-table.ts'

const everyMs = 500
const timersAtOnce = 500

interface WatchedLane {
  readonly number: number
  readonly taking: boolean
  readonly limit: number
  serially<T>(work: () => Promise<T>): Promise<T>
  take(request: Request): Promise<boolean>
  pause(reason: string | undefined): void
  overtaken(epoch: number): void
}

export interface WatchOptions {
  pool: Pool
  codec: Codec
  partitions: number
  /** Whether the consumer knows timers. */
  timers: boolean
  lanes: ReadonlyMap<number, WatchedLane>
  progress: TopicProgress
  log: Logger
}

/**
 * Looks twice a second for what has come due (timers, parked events), for lanes a person has paused and for lanes whose epoch
 * someone else has raised, and tells the lanes. The row decides whether something happens, so looking twice at the same one is harmless.
 * @returns stops looking; resolves when nothing it found is under way
 */
export function watchDue(options: WatchOptions): () => Promise<void> {
  const stopping = new AbortController()
  const horizon = new TimerHorizon(options.progress)
  const looks = [lookForParked, ...(options.timers ? [(each: WatchOptions) => lookForTimers(each, horizon)] : [])]
  // Side by side: what waits for the broker must not hold up what waits for the database alone
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
      options.log.warn({ error: describeError(error) }, 'could not look for what is due'),
    )
    await delay(everyMs, undefined, { signal }).catch(() => {})
  }
}

async function lookForParked({ pool, codec, partitions, lanes }: WatchOptions): Promise<void> {
  if (lanes.size === 0) return
  for (const { lane, epoch, paused } of await readStanding(pool)) {
    lanes.get(lane)?.overtaken(epoch)
    lanes.get(lane)?.pause(paused ?? undefined)
  }
  const taking = takingLanes(lanes)
  const due = taking.length > 0 ? await dueRows(pool, taking) : []
  await handOut(due, lanes, {
    nameOf: ({ id }) => `parked/${id}`,
    read: (rows, killer) => readRetries(rows, { codec, partitions, killer }),
  })
}

async function lookForTimers({ pool, lanes }: WatchOptions, horizon: TimerHorizon): Promise<void> {
  const taking = takingLanes(lanes)
  const due = taking.length > 0 ? await horizon.reached(await dueTimers(pool, taking, timersAtOnce)) : []
  await handOut(due, lanes, {
    nameOf: ({ id }) => id,
    read: async (rows) => ({ source: 'timer', inputs: rows.map(({ input }) => input) }),
  })
}

const takingLanes = (lanes: WatchOptions['lanes']): number[] =>
  [...lanes.values()].filter((lane) => lane.taking).map((lane) => lane.number)

interface Handing<Row> {
  nameOf(row: Row): string
  read(rows: readonly Row[], killer?: string): ReturnType<Request['read']>
}

const handOut = <Row extends { lane: number }>(
  rows: readonly Row[],
  lanes: WatchOptions['lanes'],
  handing: Handing<Row>,
): Promise<unknown> =>
  Promise.all([...Map.groupBy(rows, ({ lane }) => lane)].map(([lane, own]) => hand(lanes.get(lane), own, handing)))

/** In the lane's turn, as many together as it may take. */
async function hand<Row>(
  lane: WatchedLane | undefined,
  rows: readonly Row[],
  { nameOf, read }: Handing<Row>,
): Promise<void> {
  await lane?.serially(async () => {
    for (let start = 0; lane.taking; ) {
      const part = rows.slice(start, start + Math.min(rows.length, lane.limit))
      const [first] = part
      if (!first) return
      const request = { name: nameOf(first), inputs: part.length, read: (killer?: string) => read(part, killer) }
      if (!(await lane.take(request))) return
      start += part.length
    }
  })
}
