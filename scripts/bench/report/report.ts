import type { Bar, Benchmark, Contender, Repeat, Series } from '../benchmark.ts'
import type { Surroundings } from '../surroundings.ts'

/** The results of a benchmark, also stored as JSON. */
export interface Report extends Surroundings {
  readonly benchmark: string
  readonly what: string
  readonly unit: string
  /** The figure that the plot shows instead of the rate. */
  readonly plotted?: string
  readonly results: readonly Result[]
  readonly verdicts: readonly Verdict[]
}

export interface Result {
  readonly contender: string
  readonly setup: string
  /** Events of one repeat. */
  readonly events: number
  readonly perSecond: Spread
  /** Speed of Tally divided by that of this contender. */
  readonly ratio: number
  readonly cpuPerEvent: Spread
  readonly machineCpuPerEvent?: Spread
  readonly figures: Readonly<Record<string, Spread>>
  /** Series of the last repeat. */
  readonly series?: Series
}

export interface Spread {
  readonly lowest: number
  readonly median: number
  readonly highest: number
  /** In the order of measurement. */
  readonly values: readonly number[]
}

export interface Verdict extends Bar {
  readonly contender: string
  readonly reached: number
  readonly met: boolean
}

/** The measurements of one contender. */
export interface Measured {
  readonly contender: Contender
  readonly events: number
  readonly repeats: readonly Repeat[]
}

export function summarize(benchmark: Benchmark, measured: readonly Measured[], surroundings: Surroundings): Report {
  const { name, what, unit, plotted, bars = [] } = benchmark
  const ours = spreadOf(measured[0]?.repeats.map(({ perSecond }) => perSecond) ?? []).median
  const results = measured.map(({ contender, events, repeats }): Result => {
    const perSecond = spreadOf(repeats.map((repeat) => repeat.perSecond))
    const machine = repeats.flatMap(({ machineCpuPerEvent: each }) => each ?? [])
    const figures = [...new Set(repeats.flatMap((repeat) => Object.keys(repeat.figures ?? {})))]
    return {
      contender: contender.name,
      setup: contender.setup,
      events,
      perSecond,
      ratio: ours / perSecond.median,
      cpuPerEvent: spreadOf(repeats.map(({ cpuPerEvent }) => cpuPerEvent)),
      machineCpuPerEvent: machine.length > 0 ? spreadOf(machine) : undefined,
      figures: Object.fromEntries(
        figures.map((each) => [each, spreadOf(repeats.flatMap((repeat) => repeat.figures?.[each] ?? []))]),
      ),
      series: repeats.at(-1)?.series,
    }
  })
  return {
    benchmark: name,
    what,
    unit,
    plotted,
    ...surroundings,
    results,
    verdicts: bars.map((bar) => judge(bar, results)),
  }
}

function judge(bar: Bar, results: readonly Result[]): Verdict {
  const { contender = results[0]?.contender ?? '', figure, against, atLeast = -Infinity, atMost = Infinity } = bar
  const of = (name: string): number => {
    const result = results.find((each) => each.contender === name)
    return (figure === undefined ? result?.perSecond : result?.figures[figure])?.median ?? Number.NaN
  }
  const reached = against === undefined ? of(contender) : of(contender) / of(against)
  return { ...bar, contender, reached, met: reached >= atLeast && reached <= atMost }
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const [low, high] = [sorted[Math.floor(middle)] ?? Number.NaN, sorted[Math.ceil(middle)] ?? Number.NaN]
  return { lowest: sorted[0] ?? Number.NaN, median: (low + high) / 2, highest: sorted.at(-1) ?? Number.NaN, values }
}
