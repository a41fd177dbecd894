import type { Pool } from '../../../infra/postgres/pool.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import type { Ownership } from '../model.ts'

/**
 * The condition of a lane as operators see it.
 *
 * - live     processes inputs
 * - paused   an operator has paused it
 * - waiting  for a fault that recovers automatically, or until fewer events are parked
 * - stopped  needs an operator
 */
export type LaneCondition = 'live' | 'paused' | 'waiting' | 'stopped'

/** The reason of a lane that waits because its replica cannot heartbeat: the group may have given the lane away. */
export const noHeartbeat = 'Kafka answers no heartbeat'

const note = prepared(
  'lane_note',
  `insert into lane_state as s (lane, epoch, phase, reason) values ($1, $2, $3, $4)
   on conflict (lane) do update set epoch = $2, phase = $3, reason = $4,
     since = case when s.phase = $3 and s.reason is not distinct from $4 then s.since else now() end
   where s.epoch <= $2`,
)

type Note = readonly [lane: number, epoch: number, condition: LaneCondition, reason: string | null]

/** How long after a failed note the next attempt begins, ms. */
const repeatAfterMs = 1_000

/** Records each change of a lane's condition once and in order. For operators only: no decision depends on it. */
export class ConditionNotes {
  private readonly pool: Pool
  private readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>
  private told = ''
  private condition: LaneCondition = 'live'
  private written: Promise<unknown> = Promise.resolve()
  /** The last note, until the table has it. */
  private missing: Note | undefined
  private repeatAt = Number.POSITIVE_INFINITY

  /**
   * @param inTurn limits how many are written at a time: all lanes of a process are noted at once when it cannot
   * heartbeat, and their batches must not wait behind them for a connection
   */
  constructor(pool: Pool, inTurn: <T>(work: () => Promise<T>) => Promise<T>) {
    this.pool = pool
    this.inTurn = inTurn
  }

  /** Call when `countStart` has recorded that the lane is live. */
  begun(): void {
    this.told = 'live'
    this.condition = 'live'
    this.missing = undefined
  }

  /** The condition noted last. */
  get latest(): LaneCondition {
    return this.condition
  }

  /** @returns whether the condition or its reason has changed */
  note({ lane, epoch }: Ownership, condition: LaneCondition, reason?: string): boolean {
    const telling = reason === undefined ? condition : `${condition}: ${reason}`
    if (telling === this.told) return false
    this.told = telling
    this.condition = condition
    this.write([lane, epoch, condition, reason ?? null])
    return true
  }

  /** Call repeatedly: writes a note that the database did not take. Otherwise a stopped lane would be shown as live. */
  repeat(): void {
    if (this.missing && performance.now() >= this.repeatAt) this.write(this.missing)
  }

  private write(noted: Note): void {
    this.missing = noted
    this.repeatAt = Number.POSITIVE_INFINITY
    this.written = this.written
      .then(() => this.inTurn(() => note(this.pool, ...noted)))
      .then(
        () => {
          if (this.missing === noted) this.missing = undefined
        },
        () => {
          if (this.missing === noted) this.repeatAt = performance.now() + repeatAfterMs
        },
      )
  }
}

export interface Begun {
  /** Claims since the last completed batch, including this one. */
  readonly starts: number
  /** The marked inputs that were being processed when the process died. */
  readonly suspect: { readonly name: string; readonly inputs: number; readonly starts: number } | undefined
  /** The reason an operator gave for pausing the lane. */
  readonly paused: string | undefined
}

const begin = prepared<{
  starts: number
  suspect: string | null
  inputs: number
  suspectStarts: number
  paused: string | null
}>(
  'lane_begin',
  `insert into lane_state as s (lane, epoch, phase, starts) values ($1, $2, 'live', $3)
   on conflict (lane) do update set epoch = $2, phase = 'live', reason = null, since = now(), starts = s.starts + $3
   where s.epoch <= $2
   returning starts, suspect, suspect_inputs as inputs, suspect_starts as "suspectStarts", (select reason from pause where pause.lane = $1) as paused`,
)

/** Records a claim. @param counts false for a repeated claim of the same process, which has not died */
export async function countStart(pool: Pool, { lane, epoch }: Ownership, counts: boolean): Promise<Begun> {
  const [row] = await begin(pool, lane, epoch, counts ? 1 : 0)
  const { starts = 0, suspect = null, inputs = 0, suspectStarts = 0, paused = null } = row ?? {}
  return {
    starts,
    suspect: suspect === null ? undefined : { name: suspect, inputs, starts: suspectStarts },
    paused: paused ?? undefined,
  }
}

const suspect = prepared(
  'lane_suspect',
  `update lane_state set suspect = $3, suspect_inputs = $4,
     suspect_starts = case when suspect = $3 and suspect_inputs = $4 then suspect_starts + 1 else 1 end
   where lane = $1 and epoch = $2`,
)

/** Marks the inputs that are about to be processed: `inputs` is their number, `name` names the first. */
export const markSuspect = (pool: Pool, { lane, epoch }: Ownership, name: string, inputs: number): Promise<unknown> =>
  suspect(pool, lane, epoch, name, inputs)

const end = prepared(
  'lane_end',
  'update lane_state set starts = 0, suspect = null, suspect_inputs = 0, suspect_starts = 0 where lane = $1 and epoch = $2',
)

/** Call when a batch is complete or the lane was released in an orderly way: the process did not die. */
export const clearStarts = (pool: Pool, { lane, epoch }: Ownership): Promise<unknown> => end(pool, lane, epoch)

/** Lanes whose owner has stopped and waits for an operator, by lane number. @param schema quoted */
export async function readStopped(pool: Pool, schema: string): Promise<{ lane: number; reason: string | null }[]> {
  const { rows } = await pool.query<{ lane: number; reason: string | null }>(
    `select lane, reason from ${schema}.lane_state where phase = 'stopped' order by lane`,
  )
  return rows
}

/** The condition a lane's owner last reported, and the pause an operator requested. */
export interface ReportedState {
  lane: number
  phase: string | null
  reason: string | null
  /** Reason of the pause; null if there is none. */
  paused: string | null
  /** Who paused it. */
  actor: string | null
}

const reported = prepared<{ [K in keyof ReportedState]: ReportedState[K] }>(
  'lane_standing',
  `select lane, phase, lane_state.reason, pause.reason as paused, actor
   from unnest($1::int[]) as asked (lane) left join lane_state using (lane) left join pause using (lane) order by lane`,
)

export const readReportedStates = (pool: Pool, lanes: readonly number[]): Promise<ReportedState[]> =>
  reported(pool, lanes)
