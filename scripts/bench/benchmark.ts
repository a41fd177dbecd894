import type { Sandbox } from '../../schemas/testing/sandbox.ts'

/**
 * A benchmark with its contenders. Its file exports it, and `benchmarks.ts` lists it. The contenders run in turn
 * (A B C A B C …), each as a separate program (`runProgram`), so that none finds code compiled or memory used by another.
 */
export interface Benchmark {
  readonly name: string
  /** The work of every contender, in one sentence. */
  readonly what: string
  /** Unit of the rate: `events/s`, `orders/s`. */
  readonly unit: string
  /** Events of one repeat, for a contender whose `share` is 1. */
  readonly events: { readonly usual: number; readonly quick: number }
  /** Tally first. */
  readonly contenders: readonly [Contender, ...Contender[]]
  readonly bars?: readonly Bar[]
  /** The figure that the plot shows. @default the rate */
  readonly plotted?: string
}

export interface Contender {
  readonly name: string
  /** Versions, batch sizes and settings that matter for the comparison. */
  readonly setup: string
  /** Share of the events that it processes; below 1 for slow contenders. @default 1 */
  readonly share?: number
  /** Excluded from `--quick`. */
  readonly large?: boolean
  /** What it needs and this installation lacks, with the command that gets it; such a contender does not take part. */
  missing?(): string | undefined
  /**
   * Runs one repeat in an empty sandbox: prepares it, does the work, and counts the effects.
   * @throws TallyError INVARIANT if an event did not take effect exactly once
   */
  measure(ground: Ground): Promise<Repeat>
}

/** The environment of one repeat. */
export interface Ground {
  /** Its own topics and schemas, deleted after the repeat. */
  readonly sandbox: Sandbox
  readonly events: number
  readonly signal: AbortSignal
  /** Folder for CPU profiles, if requested. */
  readonly profiles?: string
}

/** The measurements of one repeat, made by `runProgram` or `startWatch`. */
export interface Repeat {
  readonly perSecond: number
  /** CPU time of the contender's processes, user and system, seconds per event. */
  readonly cpuPerEvent: number
  /** CPU time of the whole machine during the work, servers included, seconds per event. */
  readonly machineCpuPerEvent?: number
  /** Further figures, each a column, by name with unit: `p99 ms`, `locked ms`, `RSS MB`. */
  readonly figures?: Readonly<Record<string, number>>
  /** Values over time, which the plot shows instead of bars. */
  readonly series?: Series
}

/** Values at equal intervals, by label. */
export interface Series {
  readonly unit: string
  readonly everySeconds: number
  readonly of: Readonly<Record<string, readonly number[]>>
}

/** A bound for a median on two cores: of a rate or a figure, or of its ratio to another contender's. */
export interface Bar {
  /** @default the first contender */
  readonly contender?: string
  /** A key of `figures`. @default the rate */
  readonly figure?: string
  /** Name of the contender to divide by. */
  readonly against?: string
  readonly atLeast?: number
  readonly atMost?: number
}
