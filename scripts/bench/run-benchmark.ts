import { createSandbox } from '../../schemas/testing/sandbox.ts'
import type { Benchmark, Repeat } from './benchmark.ts'
import { rounded } from './report/print-report.ts'
import { summarize } from './report/report.ts'
import type { Measured, Report } from './report/report.ts'
import type { Surroundings } from './surroundings.ts'

export interface RunOptions {
  readonly events: number
  readonly repeats: number
  readonly profiles?: string
  /** Environment variables with the addresses of the servers. */
  readonly env: NodeJS.ProcessEnv
  readonly surroundings: Surroundings
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

/**
 * Runs the repeats of the contenders in turn, so that drift of the machine affects all of them.
 * @throws TallyError INVARIANT if a contender lost or repeated work
 */
export async function runBenchmark(benchmark: Benchmark, options: RunOptions): Promise<Report> {
  const { events, repeats, profiles, env, surroundings, signal, say } = options
  const measured = benchmark.contenders.map((contender) => ({
    contender,
    events: Math.max(1, Math.round(events * (contender.share ?? 1))),
    repeats: [] as Repeat[],
  })) satisfies Measured[]
  for (let round = 1; round <= repeats; round++) {
    for (const each of measured) {
      signal.throwIfAborted()
      await using sandbox = createSandbox(env)
      const repeat = await each.contender.measure({ sandbox, events: each.events, profiles, signal })
      each.repeats.push(repeat)
      say(
        `${benchmark.name} ${round}/${repeats} ${each.contender.name}: ${rounded(repeat.perSecond)} ${benchmark.unit}`,
      )
    }
  }
  return summarize(benchmark, measured, surroundings)
}
