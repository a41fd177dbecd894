import type { Pool } from '../../../infra/postgres/postgres.ts'
import { prepared } from '../../../infra/postgres/postgres.ts'
import type { ParkedInput } from '../../runtime/batch/decide.ts'
import { waitUntilQuiet } from '../wait-until-quiet.ts'
import type { AskedKey } from './ask-redrive.ts'

/** An event that was tried because someone asked, and failed again. */
export interface FailedAgain {
  readonly id: number
  readonly key: string
  readonly lane: number
  readonly reason: ParkedInput['reason']
  readonly error: string | null
  readonly attempts: number
  /** Null: it waits for a person. */
  readonly nextAttemptAt: Date | null
  /** Events that go on waiting behind it. */
  readonly behind: number
}

/** What has become of keys that were asked for. */
export interface RedriveOutcome {
  /** Events asked for, and what became of those that have left. */
  readonly events: number
  readonly handled: number
  readonly duplicates: number
  readonly dropped: number
  readonly failed: readonly FailedAgain[]
  /** Keys whose turn has not come yet, or not for all of their events. */
  readonly pending: readonly AskedKey[]
}

const stillThere = prepared<Omit<FailedAgain, 'behind'> & { tried: boolean }>(
  'parked_still_there',
  `select id, lane, key, reason, error, attempts, next_attempt_at as "nextAttemptAt", last_attempt_at > asked_at as tried
   from parked join unnest($1::bigint[], $2::timestamptz[]) as asked (id, asked_at) using (id)`,
)
const gone = prepared<{ action: string; events: number }>(
  'parked_gone',
  `select action, count(*) as events from parked_audit where parked_id = any($1::bigint[])
     and action in ('HANDLED', 'DUPLICATE', 'DROPPED') group by action`,
)

/** Looks once. */
export async function lookAtRedrive(pool: Pool, asked: readonly AskedKey[]): Promise<RedriveOutcome> {
  const ids = asked.flatMap((key) => key.ids)
  const times = asked.flatMap((key) => key.ids.map(() => key.askedAt))
  const left = new Map((await stillThere(pool, ids, times)).map((row) => [row.id, row]))
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
  const actions = new Map((await gone(pool, ids)).map(({ action, events }) => [action, events]))
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
  /** Asked after two seconds without progress: why these lanes do not proceed. If no reason can pass by itself, the wait ends. */
  obstacles(lanes: readonly number[]): Promise<readonly { readonly lane: number; readonly heals: boolean }[]>
  /** The wait ends after this time without progress, milliseconds. @default 30000 */
  patienceMs?: number
  onProgress?(outcome: RedriveOutcome): void
  signal?: AbortSignal
}

const everyMs = 250

/** Waits until every key was handled or has failed again, or until that cannot be expected: see `AwaitOptions`. */
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
