import { pauseLanes, resumeLanes } from '../../runtime/tables/pause-table.ts'
import { TallyError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { inTransaction } from '../../../infra/postgres/transaction.ts'
import type { Group } from '../groups.ts'
import { waitUntilQuiet } from '../wait-until-quiet.ts'
import { answerWithin } from './answer-within.ts'
import { conditionOf } from './lane-health.ts'
import { readLaneRows } from './lane-row.ts'
import type { LaneRow } from './lane-row.ts'

/** An owner polls twice a second; an in-flight batch may take longer. */
const obeyedWithinMs = 10_000

/**
 * The lanes to act on.
 * @param asked empty: all
 * @throws TallyError USAGE for a lane the group does not have
 */
export function chooseLanes(group: string, partitions: number, asked: readonly number[]): number[] {
  const unknown = asked.filter((lane) => lane >= partitions)
  if (unknown.length > 0)
    throw new TallyError('USAGE', `${group} has no lane ${unknown.join(', ')}: there are 0 to ${partitions - 1}`)
  return asked.length > 0 ? [...asked] : [...Array(partitions).keys()]
}

/** The paused ones of these lanes. @throws TallyError UNREACHABLE; errors of pg */
export async function pausedRows(pool: Pool, { schema }: Group, lanes: readonly number[]): Promise<LaneRow[]> {
  const rows = await answerWithin('PostgreSQL', readLaneRows(pool, schema))
  return rows.filter(({ lane, pause }) => pause !== null && lanes.includes(lane))
}

/** Makes the lanes' owners, also later ones, stop processing. */
export const pause = (pool: Pool, group: Group, lanes: readonly number[], why: string, actor: string): Promise<void> =>
  inSchema(pool, group, async (tx) => void (await pauseLanes(tx, lanes, why, actor)))

export const resume = (pool: Pool, group: Group, lanes: readonly number[]): Promise<void> =>
  inSchema(pool, group, async (tx) => void (await resumeLanes(tx, lanes)))

const inSchema = (pool: Pool, { schema }: Group, work: (tx: Tx) => Promise<void>): Promise<void> =>
  answerWithin(
    'PostgreSQL',
    inTransaction(pool, async (tx) => {
      await tx.query(`set local search_path to ${schema}`)
      await work(tx)
    }),
  )

/**
 * Waits until the owners of the lanes have done what the operator asked for.
 * @returns the lanes as they are then, or after ten seconds
 */
export async function whenObeyed(
  pool: Pool,
  { schema }: Group,
  lanes: readonly number[],
  done: (row: LaneRow) => boolean,
  signal: AbortSignal,
): Promise<LaneRow[]> {
  const { state } = await waitUntilQuiet({
    look: async () => {
      const all = await answerWithin('PostgreSQL', readLaneRows(pool, schema))
      return all.filter(({ lane }) => lanes.includes(lane))
    },
    isDone: (rows) => rows.every(done),
    patienceMs: obeyedWithinMs,
    everyMs: 200,
    signal,
  })
  return state
}

/** The result of a pause for a lane, as a clause; undefined while its owner may still pause it. */
export function pauseOutcome(row: LaneRow): string | undefined {
  if (row.silentMs === null) return 'no replica runs; the pause holds from the next start'
  if (conditionOf(row) === 'silent') return `its owner ${row.owner} is silent; the pause holds once it answers again`
  if (row.phase === 'stopped') return `is stopped already: ${row.reason}`
  return row.phase === 'paused' ? 'paused; calls already made are still answered' : undefined
}

/** The result of resuming a lane, as a clause; undefined while its owner may still resume it. */
export function resumeOutcome(row: LaneRow): string | undefined {
  if (row.silentMs === null) return 'no replica runs; it resumes with the next start'
  if (conditionOf(row) === 'silent') return `its owner ${row.owner} is silent; the lane resumes once it answers again`
  if (row.phase === 'stopped' || row.phase === 'waiting') return `is ${row.phase}: ${row.reason}`
  return row.phase === 'live' ? 'resumed' : undefined
}
