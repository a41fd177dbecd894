import type { Sandbox } from '../../schemas/testing/sandbox.ts'

/**
 * One question about speed, and those who answer it. A benchmark is a value: its file exports it, and `benchmarks.ts` lists
 * it. The frame runs the contenders in turn (A B C A B C …). What is measured is a program of its own (`runProgram`), so that
 * nobody finds code compiled or memory taken by another's work.
 */
export interface Benchmark {
  readonly name: string
  /** One sentence: the work every contender does. */
  readonly what: string
  /** Of what the rate counts: `events/s`, `orders/s`. */
  readonly unit: string
  /** Events of one repeat, for a contender whose `share` is 1. */
  readonly events: { readonly usual: number; readonly quick: number }
  /** Ours first. */
  readonly contenders: readonly [Contender, ...Contender[]]
  readonly bars?: readonly Bar[]
  /** A name in `figures`: what the plot shows. @default the rate */
  readonly plotted?: string
}

export interface Contender {
  readonly name: string
  /** How it is set up, for those who doubt the comparison: versions, batch sizes, settings that matter. */
  readonly setup: string
  /** What part of the events it is given: a slow one would take all day, and the rate is what counts. @default 1 */
  readonly share?: number
  /** Too large for `--quick`. */
  readonly large?: boolean
  /**
   * One repeat, from nothing: it makes what it needs in the sandbox, does the work, and counts the effects before it
   * answers.
   * @throws TallyError INVARIANT if an event did not take effect exactly once: then no time counts
   */
  measure(ground: Ground): Promise<Repeat>
}

/** What one repeat stands on. */
export interface Ground {
  /** Topics and schemas of its own, dropped after the repeat. */
  readonly sandbox: Sandbox
  readonly events: number
  readonly signal: AbortSignal
  /** Folder for CPU profiles, where they were asked for. */
  readonly profiles?: string
}

/** What one repeat measured; `runProgram` and `startWatch` make it. */
export interface Repeat {
  readonly perSecond: number
  /** CPU time of the contender's own processes, user and system, seconds an event. */
  readonly cpuPerEvent: number
  /** CPU time of the whole machine meanwhile, servers included, seconds an event. */
  readonly machineCpuPerEvent?: number
  /** Anything else worth a column, named with its unit: `p99 ms`, `locked ms`, `RSS MB`. */
  readonly figures?: Readonly<Record<string, number>>
  /** What went on meanwhile: the plot shows it instead. */
  readonly series?: Series
}

/** Values seen at even distances, by what they are of. */
export interface Series {
  readonly unit: string
  readonly everySeconds: number
  readonly of: Readonly<Record<string, readonly number[]>>
}

/** What the medians must show on a machine of two cores: a rate, a figure, or either as a ratio to another contender's. */
export interface Bar {
  /** Whose. @default the first: ours */
  readonly contender?: string
  /** A name in `figures`. @default the rate */
  readonly figure?: string
  /** Divided by the same of this contender. */
  readonly against?: string
  readonly atLeast?: number
  readonly atMost?: number
}
