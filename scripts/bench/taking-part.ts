import { TallyError } from '../../infra/errors.ts'
import type { Benchmark } from './benchmark.ts'
import { findContender } from './benchmarks.ts'

/**
 * The benchmark with the named contenders, or with all that suit the size of the run and have what they need, and the bars
 * that concern them.
 * @throws TallyError USAGE if a contender does not exist, TOOL_MISSING if a named one lacks what it needs
 */
export function takingPart(
  benchmark: Benchmark,
  { only, quick = false }: { only?: readonly string[]; quick?: boolean },
  say: (line: string) => void,
): Benchmark {
  const named = only?.map((name) => findContender(benchmark, name))
  const suitable = named ?? benchmark.contenders.filter(({ large }) => !(quick && large))
  const [first, ...others] = suitable.filter(({ name, missing }) => {
    const lacks = missing?.()
    if (lacks && named) throw new TallyError('TOOL_MISSING', lacks)
    if (lacks) say(`${benchmark.name} without ${name}. ${lacks}`)
    return !lacks
  })
  if (!first) return benchmark
  const names = [first, ...others].map(({ name }) => name)
  const [ours] = benchmark.contenders
  const bars = benchmark.bars?.filter(({ contender = ours.name, against = contender }) =>
    [contender, against].every((name) => names.includes(name)),
  )
  return { ...benchmark, contenders: [first, ...others], bars }
}
