import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import type { AskedKey } from './ask-redrive.ts'
import type { ParkedInput } from '../../runtime/model.ts'

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
  /** Asked when nothing has moved for two seconds: why these lanes do not get on. A reason that cannot heal ends the waiting. */
  obstacles(lanes: readonly number[]): Promise<readonly { readonly lane: number; readonly heals: boolean }[]>
  /** Nothing having moved for so long ends the waiting, milliseconds. @default 30000 */
  patienceMs?: number
  onProgress?(outcome: RedriveOutcome): void
  signal?: AbortSignal
}

const everyMs = 250
const quietMs = 2_000

/** Waits until every key was handled or has failed again; not for ever: see `AwaitOptions`. */
export async function awaitRedrive(
  pool: Pool,
  asked: readonly AskedKey[],
  { obstacles, patienceMs = 30_000, onProgress, signal }: AwaitOptions,
): Promise<RedriveOutcome> {
  let moved = { left: Number.POSITIVE_INFINITY, at: performance.now() }
  for (;;) {
    const outcome = await lookAtRedrive(pool, asked)
    onProgress?.(outcome)
    if (outcome.pending.length === 0) return outcome
    const left = outcome.events - outcome.handled - outcome.duplicates - outcome.dropped - outcome.failed.length
    if (left < moved.left) moved = { left, at: performance.now() }
    const quiet = performance.now() - moved.at
    if (quiet >= patienceMs) return outcome
    if (quiet >= Math.min(quietMs, patienceMs)) {
      const lanes = [...new Set(outcome.pending.map(({ lane }) => lane))]
      const stuck = new Set((await obstacles(lanes)).filter(({ heals }) => !heals).map(({ lane }) => lane))
      if (lanes.every((lane) => stuck.has(lane))) return outcome
    }
    await delay(everyMs, undefined, { signal })
  }
}
