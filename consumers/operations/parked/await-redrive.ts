import type { Pool } from '../../../infra/postgres/pool.ts'
import { countGone } from '../../runtime/tables/audit.ts'
import { readStillParked } from '../../runtime/tables/parked-changes.ts'
import type { StillParked } from '../../runtime/tables/parked-changes.ts'
import type { AskedKey } from '../../runtime/tables/parked-list.ts'
import { waitUntilQuiet } from '../wait-until-quiet.ts'

/** An event that was attempted after a redrive was requested and failed again. */
export interface FailedAgain extends Omit<StillParked, 'tried'> {
  /** Events that still wait behind it. */
  readonly behind: number
}

/** The outcomes of the keys of a redrive. */
export interface RedriveOutcome {
  /** All events of the keys, and the outcomes of those that are no longer parked. */
  readonly events: number
  readonly handled: number
  readonly duplicates: number
  readonly dropped: number
  readonly failed: readonly FailedAgain[]
  /** Keys with events that were not attempted yet. */
  readonly pending: readonly AskedKey[]
}

/** The state of a redrive now. */
export async function lookAtRedrive(pool: Pool, asked: readonly AskedKey[]): Promise<RedriveOutcome> {
  const ids = asked.flatMap((key) => key.ids)
  const times = asked.flatMap((key) => key.ids.map(() => key.askedAt))
  const left = new Map((await readStillParked(pool, ids, times)).map((row) => [row.id, row]))
  const failed: FailedAgain[] = []
  const pending: AskedKey[] = []
  for (const key of asked) {
    const rows = key.ids.flatMap((id) => left.get(id) ?? [])
    const [head] = rows
    if (!head) continue
    const { tried, ...event } = head
    if (tried) failed.push({ ...event, behind: rows.length - 1 })
    else pending.push(key)
  }
  const actions = await countGone(pool, ids)
  const became = (action: string) => actions.get(action) ?? 0
  return {
    events: ids.length,
    handled: became('HANDLED'),
    duplicates: became('DUPLICATE'),
    dropped: became('DROPPED'),
    failed,
    pending,
  }
}

export interface AwaitOptions {
  /**
   * Called after two seconds without progress to find out why. The wait ends if no obstacle can recover automatically.
   */
  obstacles(lanes: readonly number[]): Promise<readonly { readonly lane: number; readonly heals: boolean }[]>
  /** The wait ends after this time without progress, milliseconds. @default 30000 */
  patienceMs?: number
  onProgress?(outcome: RedriveOutcome): void
  signal?: AbortSignal
}

const everyMs = 250

/** Waits until every key was handled or has failed again, or until the conditions of `AwaitOptions` end the wait. */
export async function awaitRedrive(
  pool: Pool,
  asked: readonly AskedKey[],
  { obstacles, patienceMs = 30_000, onProgress, signal }: AwaitOptions,
): Promise<RedriveOutcome> {
  const { state } = await waitUntilQuiet({
    look: () => lookAtRedrive(pool, asked),
    isDone: ({ pending }) => pending.length === 0,
    remaining: ({ events, handled, duplicates, dropped, failed }) =>
      events - handled - duplicates - dropped - failed.length,
    onProgress,
    async onQuiet({ pending }) {
      const lanes = [...new Set(pending.map(({ lane }) => lane))]
      const stuck = new Set((await obstacles(lanes)).filter(({ heals }) => !heals).map(({ lane }) => lane))
      return lanes.every((lane) => stuck.has(lane))
    },
    patienceMs,
    everyMs,
    signal,
  })
  return state
}
