import type { Kafka } from 'kafkajs'
import type { Config } from '../../../infra/config.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import type { ConsumerDefinition } from '../../runtime/handler.ts'
import type { Plan } from './plan.ts'

/** What every part of a replay works with. */
export interface ReplayContext {
  readonly config: Config
  readonly kafka: Kafka
  readonly codec: Codec
  readonly log: Logger
  /** Connections that see the group's tables and then those of the replays; without a group only the latter. */
  readonly pool: Pool
  /** The group's consumer; undefined for a copy without a group. */
  readonly definition: ConsumerDefinition<unknown, unknown> | undefined
}

/** How a replay is run; kept with it, so that `resume` goes on in the same way unless told otherwise. */
export interface RunOptions {
  /** Selected events a second at most. */
  readonly rate?: number
  /** Ends after so many selected events: what is left can be resumed. */
  readonly max?: number
  /** Pauses at this time, UTC epoch ms. */
  readonly until?: number
  /** Stops when the group (or for copy: no one) has more new events waiting than this. */
  readonly maxLag?: number
  /** Passes over events that fail, noting each; else the replay stops at the first. */
  readonly skipFailed?: boolean
  /** Goes on although the plan is not true any more in ways that harm nobody. */
  readonly acceptDrift?: boolean
  /** Goes on although retention has deleted events of the range, or schemas nobody can read are in it. */
  readonly acceptLost?: boolean
  readonly acceptUnreadable?: boolean
  /** Reprocess: calls to the outside may be made again, with their keys. */
  readonly allowExternal?: boolean
  /** Reprocess: events get ids of their own, so that others take them as new facts. @default 'same' */
  readonly emit?: 'same' | 'corrected'
}

/** A range as far as it has got. */
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
  /** Where the group stood when the replay began. */
  readonly before: number | null
}

/** Progress of one partition since the last time it was saved. */
export interface Advance {
  readonly topic: string
  readonly partition: number
  /** The new `next`. */
  readonly next: number
  readonly scanned: number
  readonly selected: number
}

/** Figures for people and machines, by name, as far as known: `{ taken: 0, duplicates: 5210 }`. Added up over resumes. */
export type Figures = Readonly<Record<string, number>>

/** A replay under way, as its mode sees it. */
export interface ReplayRun {
  readonly id: number
  readonly plan: Plan
  readonly options: RunOptions
  /** As of the start of this run. */
  readonly partitions: readonly ReplayPartition[]
  /** Figures so far. */
  readonly figures: Figures
  /** Aborts when the replay shall stop where it is: a signal, `pause`, `cancel`, `--until`, `--max`, too much lag. */
  readonly signal: AbortSignal
  /** How many selected events the next step may take, at most `most`: fewer under `--rate` and `--max`. */
  atOnce(most: number): number
  /** Waits until so many more selected events may be taken (`--rate`); throws the signal's reason when it is to stop. */
  pace(events: number): Promise<void>
  /**
   * Saves how far it is, within the transaction of the effects.
   * @param figures what this step adds
   * @throws TallyError FENCED if someone else has resumed this replay since
   */
  advance(tx: Tx, advances: readonly Advance[], figures?: Figures): Promise<void>
  /** Notes events that were passed over, in the same transaction. */
  noteFailures(tx: Tx, failures: readonly ReplayFailure[]): Promise<void>
  /** A line for people: what it does now ("waiting for …"). */
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

/** What a mode does. Everything it changes lasting it does in transactions that call `run.advance`. */
export interface ReplayMode {
  /** What speaks against running this plan now, sentences for people; nothing is moved while there is one. */
  preconditions(context: ReplayContext, plan: Plan, options: RunOptions): Promise<string[]>
  /** What the mode will do, a sentence or two for the plan's reader. */
  describe(plan: Plan): string
  /**
   * Goes on from `run.partitions` to the end. Leaves a state that `resume` can go on from, however it ends.
   * @throws the signal's reason when it is to stop
   */
  run(context: ReplayContext, run: ReplayRun): Promise<void>
  /** Puts right what a replay that will not go on has left, stopped or killed: tables aside, positions. */
  abandon(context: ReplayContext, run: ReplayRun): Promise<unknown>
  /** Puts back what it was before a replay that ended; absent where that cannot be. */
  undo?(context: ReplayContext, run: ReplayRun): Promise<void>
}
