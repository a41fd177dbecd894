import { availableParallelism } from 'node:os'
import type { Command } from 'commander'
import { runSeeds } from './simulate/run-seeds.ts'
import { createCommand, printJson, runCommand, say } from './cli/command.ts'
import type { CommandFrame } from './cli/command.ts'
import { integer } from './cli/arguments.ts'
import { count } from './cli/figures.ts'
import { createProgress } from './cli/progress.ts'

interface Options {
  seeds: number
  from: number
  seed?: number
  workers: number
  json?: boolean
  trace?: boolean
}

export const simulateCommand = ({ signal }: CommandFrame): Command =>
  createCommand(
    'simulate',
    'Run the runtime in simulated worlds full of faults',
    ['npm run simulate -- --seeds 100000', 'npm run simulate -- --seed 4711 --trace'],
    'Each seed is one world. Exit code 1: an invariant was violated in one of them.',
  )
    .option('--seeds <count>', 'number of worlds', integer(1), 10_000)
    .option('--from <seed>', 'seed of the first world', integer(1), 1)
    .option('--seed <seed>', 'run only this world; --trace prints what happens in it', integer(1))
    .option('--workers <threads>', 'number of threads', integer(1), availableParallelism())
    .action((options: Options) => simulate(options, signal))

if (import.meta.main) await runCommand(simulateCommand, { ofRunningStack: false })

async function simulate({ seeds, from, seed, workers, json, trace }: Options, signal: AbortSignal): Promise<void> {
  const first = seed ?? from
  const total = seed === undefined ? seeds : 1
  const progress = createProgress('Simulating', { total, unit: 'worlds' })
  let done = 0
  let commits = 0
  const failed = await runSeeds({
    first,
    last: first + total - 1,
    workers,
    signal,
    traced: seed !== undefined && trace ? (line) => process.stdout.write(`${line}\n`) : undefined,
    ended: (outcome) => {
      commits += outcome.commits
      progress.update(++done)
    },
  })
  progress.finish()
  if (json) printJson({ first, worlds: done, commits, failed: failed ?? null })
  if (!failed) {
    if (!json) say(`No violation in ${count(done, 'world')} with ${count(commits, 'commit')}.`)
    return
  }
  process.exitCode = 1
  if (json) return
  say(`Seed ${failed.seed}: ${failed.failure}`)
  say(`Next: npm run simulate -- --seed ${failed.seed} --trace`)
}
