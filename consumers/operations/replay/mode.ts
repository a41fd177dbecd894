import type { Kafka } from 'kafkajs'
import type { Config } from '../../../infra/config.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import type { Tracer } from '../../../infra/monitor/tracer.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import type { ConsumerDefinition } from '../../runtime/handler.ts'
import type { Plan } from './plan.ts'

/** The resources of a replay. */
export interface ReplayContext {
  readonly config: Config
  readonly kafka: Kafka
  readonly codec: Codec
  readonly log: Logger
  /** Exports spans; undefined unless a collector is configured. */
  readonly tracer?: Tracer | undefined
  /** Connections that see the group's tables and then those of the replays; without a group only the latter. */
  readonly pool: Pool
  /** The group's consumer; undefined for a copy without a group. */
  readonly definition: ConsumerDefinition<unknown, unknown> | undefined
}

/** Options of a run. They are stored with the replay, and `resume` uses them again unless it is given others. */
export interface RunOptions {
  /** Maximum rate, selected events per second. */
  readonly rate?: number
  /** Pauses after this number of selected events. */
  readonly max?: number
  /** Pauses at this time, UTC epoch ms. */
  readonly until?: number
  /** Stops when the group lags by more events than this. */
  readonly maxLag?: number
  /** Skips and records events that fail; otherwise the replay stops at the first one. */
  readonly skipFailed?: boolean
  /** Runs although the plan is outdated in ways that do no harm. */
  readonly acceptDrift?: boolean
  /** Run although retention has deleted events of the range, or no schema can read some of them. */
  readonly acceptLost?: boolean
  readonly acceptUnreadable?: boolean
  /** Copy: creates the other topic if it does not exist, with as many partitions as the pipeline's. */
  readonly createTopic?: boolean
  /** Reprocess: calls to external services may be repeated, with their original keys. */
  readonly allowExternal?: boolean
  /** Reprocess: with `corrected` events get new ids, so that consumers process them as new. @default 'same' */
  readonly emit?: 'same' | 'corrected'
}

/** A range and its progress. */
export interface ReplayPartition {
  /** Without namespace. */
  readonly topic: string
  readonly partition: number
  readonly from: number
  /** Exclusive. */
  readonly to: number
  readonly next: number
  readonly scanned: number
  readonly selected: number
  /** The group's position when the replay began. */
  readonly before: number | null
}

/** Progress of one partition since it was last saved. */
export interface Advance {
  readonly topic: string
  readonly partition: number
  /** The new `next`. */
  readonly next: number
  readonly scanned: number
  readonly selected: number
}

/** Figures by name: `{ taken: 0, duplicates: 5210 }`. They add up over resumed runs. */
export type Figures = Readonly<Record<string, number>>

/** A running replay, as its mode sees it. */
export interface ReplayRun {
  readonly id: number
  readonly plan: Plan
  readonly options: RunOptions
  /** At the start of this run. */
  readonly partitions: readonly ReplayPartition[]
  /** Figures so far. */
  readonly figures: Figures
  /** Aborts to stop the replay where it is: on a signal, `pause`, `cancel`, `--until`, `--max` or too much lag. */
  readonly signal: AbortSignal
  /** How many selected events the next step may process: `most`, or fewer because of `--rate` and `--max`. */
  atOnce(most: number): number
  /** Waits until this number of selected events may be processed (`--rate`). @throws the signal's reason */
  pace(events: number): Promise<void>
  /**
   * Saves the progress, within the transaction of the effects.
   * @param figures what this step adds
   * @throws TallyError FENCED if another process has resumed this replay
   */
  advance(tx: Tx, advances: readonly Advance[], figures?: Figures): Promise<void>
  /** Records skipped events, in the same transaction. */
  noteFailures(tx: Tx, failures: readonly ReplayFailure[]): Promise<void>
  /** Reports what the run does now ("waiting for …"). */
  note(text: string): void
}

export interface ReplayFailure {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly type: string | null
  readonly reason: string
  readonly error: string | null
}

/** What a mode does. All lasting changes are made in transactions that call `run.advance`. */
export interface ReplayMode {
  /** Unmet preconditions of the plan, a sentence each. The plan runs only if there are none. */
  preconditions(context: ReplayContext, plan: Plan, options: RunOptions): Promise<string[]>
  /** What a run will do, in one or two sentences. */
  describe(plan: Plan): string
  /**
   * Runs from `run.partitions` to the end. However it ends, `resume` can continue from the state it leaves.
   * @throws the signal's reason
   */
  run(context: ReplayContext, run: ReplayRun): Promise<void>
  /** Cleans up after a replay that will not be resumed: tables aside, positions. */
  abandon(context: ReplayContext, run: ReplayRun): Promise<unknown>
  /** Restores the state before a replay that has ended; or why that is impossible. */
  readonly undo: ((context: ReplayContext, run: ReplayRun) => Promise<void>) | string
}
