import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { Option } from 'commander'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { createCommand, printJson, printTable, runCommand, say } from './cli/command.ts'
import { integer } from './cli/arguments.ts'
import type { Benchmark } from './bench/benchmark.ts'
import { benchmarks, findBenchmark } from './bench/benchmarks.ts'
import { guard, storeGuard } from './bench/guard/guard.ts'
import { keepReport, resultsDir } from './bench/report/keep-report.ts'
import { printReport } from './bench/report/print-report.ts'
import { runBenchmark } from './bench/run-benchmark.ts'
import { installRestate } from './bench/saga/restate.ts'
import { openServers } from './bench/servers.ts'
import { surroundings } from './bench/surroundings.ts'
import { takingPart } from './bench/taking-part.ts'

interface BenchOptions extends CommonOptions {
  quick?: boolean
  profile?: boolean
  store?: boolean
  events?: number
  repeats?: number
  only?: string[]
  out: string
}

export const benchCommand = ({ signal }: CommandFrame): Command =>
  createCommand(
    'bench',
    'Benchmark Tally against its alternatives, on the same servers in the same run',
    ['npm run bench -- list', 'npm run bench -- hop', 'npm run bench -- all --quick', 'npm run bench -- hop --profile'],
    `The results are stored as JSON and SVG. \`guard\` compares short forms of hop and saga, as ratios to a naive consumer, with stored ratios. The contender restate of saga takes part once its server (BSL 1.1, not open source) is installed: \`${installRestate}\`. Exit code 1: a bar is not met, or a contender lost or doubled an event.`,
  )
    .argument('<name>', 'benchmark to run, or list, all, guard')
    .option('--quick', 'few events and one repeat: shows that it works; its figures say nothing')
    .option('--only <contender...>', 'run these contenders only')
    .option('--events <count>', 'events of one repeat (default: as the benchmark says)', integer(1))
    .option('--repeats <count>', 'repeats of each contender (default: 5)', integer(1))
    .addOption(new Option('--out <folder>', 'folder for the results').default(resultsDir, 'bench-results'))
    .option('--store', 'guard: store the measured ratios as the new reference')
    .option('--profile', 'write CPU profiles of the measured programs')
    .action(async (name: string, options: BenchOptions) => {
      if (name === 'list') return list(options)
      if (name === 'guard') return compare(options, signal)
      await run(name === 'all' ? benchmarks : [findBenchmark(name)], options, signal)
    })

if (import.meta.main) await runCommand(benchCommand, { ofRunningStack: false })

function list({ json }: BenchOptions): void {
  if (json) return printJson(benchmarks.map(({ name, what }) => ({ name, what })))
  printTable(
    ['name', 'what', 'contenders'],
    benchmarks.map(({ name, what, contenders }) => [name, what, contenders.map((each) => each.name).join('; ')]),
  )
}

/** Runs the guard on servers configured like those of the tests, because the ratios depend on the time of a commit. */
async function compare({ store, json }: BenchOptions, signal: AbortSignal): Promise<void> {
  await using servers = await openServers(say, signal, { durable: false })
  const options = { env: servers.env, signal, say }
  if (store) return await storeGuard(options)
  const complaints = await guard(options)
  if (json) printJson({ complaints })
  else for (const complaint of complaints) say(complaint)
  if (complaints.length > 0) process.exitCode = 1
}

async function run(chosen: readonly Benchmark[], options: BenchOptions, signal: AbortSignal): Promise<void> {
  const { quick = false, profile, json, out } = options
  const profiles = profile ? join(out, 'profiles') : undefined
  if (profiles) mkdirSync(profiles, { recursive: true })
  const takingParts = chosen.map((benchmark) => takingPart(benchmark, options, say))
  await using servers = await openServers(say, signal)
  for (const benchmark of takingParts) {
    const { usual, quick: few } = benchmark.events
    const report = await runBenchmark(benchmark, {
      events: options.events ?? (quick ? few : usual),
      repeats: options.repeats ?? (quick ? 1 : 5),
      ...{ profiles, signal, say },
      env: servers.env,
      surroundings: surroundings(servers.setup),
    })
    const path = keepReport(report, out)
    if (json) printJson(report)
    else printReport(report)
    say(`${path}.json and .svg`)
    if (!quick && report.verdicts.some(({ met }) => !met)) process.exitCode = 1
  }
}
