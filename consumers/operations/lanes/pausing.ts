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

/** An owner hears of it, or looks within seconds; an in-flight batch may take longer. */
const obeyedWithinMs = 10_000

function chooseLanes(group: string, partitions: number, asked: readonly number[]): number[] {
  const unknown = asked.filter((lane) => lane >= partitions)
  if (unknown.length > 0)
    throw new TallyError('USAGE', `${group} has no lane ${unknown.join(', ')}: there are 0 to ${partitions - 1}`)
  return asked.length > 0 ? [...asked] : [...Array(partitions).keys()]
}

async function pausedRows(pool: Pool, { schema }: Group, lanes: readonly number[]): Promise<LaneRow[]> {
  const rows = await answerWithin('PostgreSQL', readLaneRows(pool, schema))
  return rows.filter(({ lane, pause }) => pause !== null && lanes.includes(lane))
}

/** Lanes of a group to pause or resume. */
export interface LaneChoice {
  readonly group: Group
  readonly partitions: number
  /** Empty: all. */
  readonly asked: readonly number[]
  readonly signal: AbortSignal
}

/** The result of a pause. */
export interface Paused {
  /** Lanes that were not paused before. */
  readonly fresh: readonly number[]
  /** The state of all selected lanes once their owners have paused them, or after ten seconds. */
  readonly rows: readonly LaneRow[]
}

/**
 * Pauses lanes and waits until their owners have done so. The pause also applies to later owners. Lanes that are
 * already paused keep their reason.
 * @param onBegin called with the lanes that were paused already, by this moment or by another operator at the same one, and
 *   the others
 * @throws TallyError USAGE for a lane the group does not have, UNREACHABLE
 */
export async function pauseChosen(
  pool: Pool,
  { group, partitions, asked, signal }: LaneChoice,
  { why, actor }: { why: string; actor: string },
  onBegin: (before: readonly LaneRow[], fresh: readonly number[]) => void,
): Promise<Paused> {
  const lanes = chooseLanes(group.name, partitions, asked)
  const fresh = await inSchema(pool, group, (tx) => pauseLanes(tx, lanes, why, actor))
  const before = (await pausedRows(pool, group, lanes)).filter(({ lane }) => !fresh.includes(lane))
  onBegin(before, fresh)
  return { fresh, rows: await whenObeyed(pool, group, lanes, (row) => pauseOutcome(row) !== undefined, signal) }
}

/**
 * Resumes paused lanes from their positions and waits until their owners have done so.
 * @param onBegin called before that with the paused lanes among the chosen ones, and those of them that another operator
 *   resumed at the same moment
 * @returns these lanes as they are then, or after ten seconds
 * @throws TallyError USAGE for a lane the group does not have, UNREACHABLE
 */
export async function resumeChosen(
  pool: Pool,
  { group, partitions, asked, signal }: LaneChoice,
  onBegin: (paused: readonly LaneRow[], byOther: readonly LaneRow[]) => void,
): Promise<LaneRow[]> {
  const paused = await pausedRows(pool, group, chooseLanes(group.name, partitions, asked))
  const lanes = paused.map(({ lane }) => lane)
  const ours = lanes.length > 0 ? await inSchema(pool, group, (tx) => resumeLanes(tx, lanes)) : []
  const { own = [], byOther = [] } = Object.groupBy(paused, ({ lane }) => (ours.includes(lane) ? 'own' : 'byOther'))
  onBegin(own, byOther)
  return whenObeyed(pool, group, lanes, (row) => resumeOutcome(row) !== undefined, signal)
}

const inSchema = <T>(pool: Pool, { schema }: Group, work: (tx: Tx) => Promise<T>): Promise<T> =>
  answerWithin(
    'PostgreSQL',
    inTransaction(pool, async (tx) => {
      await tx.query(`set local search_path to ${schema}`)
      return work(tx)
    }),
  )

/**
 * Waits until the owners of the lanes have carried out the operator's request.
 * @returns the lanes as they are then, or after ten seconds
 */
async function whenObeyed(
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
