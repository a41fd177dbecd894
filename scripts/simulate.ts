import { availableParallelism } from 'node:os'
import { InvalidArgumentError, Option } from 'commander'
import { mutations } from './simulate/mutations.ts'
import { runSeeds } from './simulate/run-seeds.ts'
import { createCommand, printJson, runCommand, say } from './cli/command.ts'
import { createProgress } from './cli/progress.ts'

interface Options {
  seeds: number
  from: number
  seed?: number
  workers: number
  mutation?: string
  json?: boolean
  trace?: boolean
}

await runCommand(({ signal }) =>
  createCommand('simulate', 'Runs the runtime in simulated worlds full of faults; each seed is one world', [
    'npm run simulate -- --seeds 100000',
    'npm run simulate -- --seed 4711 --trace',
  ])
    .option('--seeds <count>', 'how many worlds', count, 10_000)
    .option('--from <seed>', 'the first of them', count, 1)
    .option('--seed <seed>', 'only this one; with --trace what happens in it, line by line', count)
    .option('--workers <threads>', 'threads', count, availableParallelism())
    .addOption(
      new Option('--mutation <name>', 'take a guard away and see whether it is missed').choices(
        mutations.map(({ name }) => name),
      ),
    )
    .action((options: Options) => simulate(options, signal)),
)

async function simulate(
  { seeds, from, seed, workers, mutation, json, trace }: Options,
  signal: AbortSignal,
): Promise<void> {
  const first = seed ?? from
  const total = seed === undefined ? seeds : 1
  const progress = createProgress('Simulating', { total, unit: 'worlds' })
  let done = 0
  let commits = 0
  const failed = await runSeeds({
    first,
    last: first + total - 1,
    workers,
    mutation,
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
    if (!json) say(`Nothing wrong: ${done.toLocaleString('en')} worlds, ${commits.toLocaleString('en')} commits.`)
    return
  }
  process.exitCode = 1
  if (json) return
  const broken = mutation === undefined ? '' : ` --mutation '${mutation}'`
  say(`Seed ${failed.seed}: ${failed.failure}`)
  say(`Again, line by line: npm run simulate -- --seed ${failed.seed} --trace${broken}`)
}

function count(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1 on')
  return value
}
