import { setTimeout as delay } from 'node:timers/promises'
import { describeError } from '../../infra/errors.ts'
import type { Pool } from '../../infra/postgres.ts'
import type { Logger } from '../../infra/telemetry.ts'
import type { Codec } from '../../schemas/codec.ts'
import type { Request } from './lane-context.ts'
import { readRetries } from './parking/read-retries.ts'
import { dueRows } from './parking/retry-table.ts'
import { pausedLanes } from './pause-table.ts'
import { dueTimers } from './timer-table.ts'

const everyMs = 500
const timersAtOnce = 1_000

interface WatchedLane {
  readonly number: number
  readonly taking: boolean
  readonly limit: number
  serially<T>(work: () => Promise<T>): Promise<T>
  take(request: Request): Promise<boolean>
  pause(reason: string | undefined): void
}

export interface WatchOptions {
  pool: Pool
  codec: Codec
  partitions: number
  /** Whether the consumer knows timers. */
  timers: boolean
  lanes: ReadonlyMap<number, WatchedLane>
  log: Logger
}

/**
 * Looks twice a second for what has come due (timers, parked events) and for lanes a person has paused, and hands it to
 * the lanes. The row decides whether something happens, so looking twice at the same one is harmless.
 * @returns stops looking; resolves when nothing it found is under way
 */
export function watchDue(options: WatchOptions): () => Promise<void> {
  const stopping = new AbortController()
  const loop = async () => {
    while (!stopping.signal.aborted) {
      await look(options).catch((error: unknown) =>
        options.log.warn({ error: describeError(error) }, 'could not look for what is due'),
      )
      await delay(everyMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }
  const running = loop()
  return () => {
    stopping.abort()
    return running
  }
}

async function look({ pool, codec, partitions, timers, lanes }: WatchOptions): Promise<void> {
  if (lanes.size === 0) return
  const paused = await pausedLanes(pool)
  for (const lane of lanes.values()) lane.pause(paused.get(lane.number))
  const taking = [...lanes.values()].filter((lane) => lane.taking).map((lane) => lane.number)
  if (taking.length === 0) return

  const due = timers ? await dueTimers(pool, taking, timersAtOnce) : []
  const parked = await dueRows(pool, taking)
  await Promise.all([
    ...[...Map.groupBy(due, ({ lane }) => lane)].map(([lane, rows]) =>
      hand(
        lanes.get(lane),
        rows,
        ({ id }) => id,
        async (part) => ({ source: 'timer', inputs: part.map(({ input }) => input) }),
      ),
    ),
    ...[...Map.groupBy(parked, ({ lane }) => lane)].map(([lane, rows]) =>
      hand(
        lanes.get(lane),
        rows,
        ({ id }) => `parked/${id}`,
        (part, killer) => readRetries(part, { codec, partitions, killer }),
      ),
    ),
  ])
}

/** In the lane's turn, as many together as it may take. */
async function hand<Row>(
  lane: WatchedLane | undefined,
  rows: readonly Row[],
  nameOf: (row: Row) => string,
  read: (rows: readonly Row[], killer?: string) => ReturnType<Request['read']>,
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
