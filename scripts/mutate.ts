import { basename } from 'node:path'
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { didYouMean } from '../infra/closest-names.ts'
import globalSetup from '../infra/testing/global-setup.ts'
import globalTeardown from '../infra/testing/global-teardown.ts'
import { createCommand, printJson, runCommand, say } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { integer } from './cli/arguments.ts'
import { count, duration } from './cli/figures.ts'
import { printReport } from './cli/report.ts'
import type { Report } from './cli/report.ts'
import { mutations } from './mutate/mutations.ts'
import { tryMutations } from './mutate/try-mutations.ts'
import type { Tried } from './mutate/try-mutations.ts'

interface MutateOptions extends CommonOptions {
  only?: string[]
  list?: boolean
  jobs: number
  limit: number
}

export const mutateCommand = ({ signal }: CommandFrame): Command =>
  createCommand(
    'mutate',
    'Remove one guard at a time in a copy of the code, and check that its test fails',
    [
      'npm run mutate',
      'npm run mutate -- --only epoch-check inbox',
      'npm run mutate -- --list',
      `npm run mutate -- --json | jq '.tried[] | select(.verdict != "noticed")'`,
    ],
    'Exit code 0: every test noticed that its guard was missing; 1: a test did not.',
  )
    .option('--only <names...>', 'mutations to try, of those that --list shows (default: all)', mutationNames)
    .option('--list', 'list the mutations, try none')
    .option('--jobs <n>', 'mutations tried at once', integer(1), 2)
    .option('--limit <seconds>', 'seconds after which a test run counts as failed', integer(1), 120)
    .action(async ({ only, list, jobs, limit, json }: MutateOptions) => {
      const chosen = only ? mutations.filter(({ name }) => only.includes(name)) : mutations
      if (list) {
        if (json) printJson(chosen)
        else printReport(mutationsReport(chosen))
        return
      }
      const since = performance.now()
      await globalSetup()
      try {
        const tried = await tryMutations(chosen, { jobs, timeLimitMs: limit * 1_000, signal, onProgress: say })
        const noticed = tried.filter(({ verdict }) => verdict === 'noticed').length
        const seconds = (performance.now() - since) / 1_000
        if (json) printJson({ noticed, of: tried.length, seconds, tried: tried.map(flat) })
        else printReport(triedReport(tried, seconds))
        if (noticed < tried.length) process.exitCode = 1
      } finally {
        await globalTeardown()
      }
    })

if (import.meta.main) await runCommand(mutateCommand, { ofRunningStack: false })

function mutationNames(text: string, before: readonly string[] = []): string[] {
  const names = mutations.map(({ name }) => name)
  if (names.includes(text)) return [...before, text]
  const hint = didYouMean(text, names)
  throw new InvalidArgumentError(`There is no such mutation.${hint} \`npm run mutate -- --list\` shows all.`)
}

// A function, not a constant: the command runs before the constants below are initialized
function mutationsReport(chosen: typeof mutations): Report {
  const rows = chosen.map(({ name, guard, broken }) => [name, guard, broken])
  return {
    verdict: `${count(chosen.length, 'mutation')}, each of which removes one guard.`,
    parts: [{ head: ['name', 'guard', 'without it'], rows }],
  }
}

/** Guards that no test noticed come first. */
function triedReport(tried: readonly Tried[], seconds: number): Report {
  const [noticed, missed] = [true, false].map((as) => tried.filter(({ verdict }) => (verdict === 'noticed') === as))
  return {
    verdict: `${count(noticed!.length)} of ${count(tried.length, 'guard')} noticed by their tests, in ${duration(seconds * 1_000)}.`,
    parts: [
      {
        head: ['guard', 's', 'verdict', 'test', 'how'],
        rows: [...missed!, ...noticed!].map(({ mutation: { guard, noticedBy }, verdict, how, seconds: took }) => [
          ...[guard, Math.round(took), verdict === 'noticed' ? verdict : verdict.toUpperCase()],
          ...[`${basename(noticedBy.file)}: ${noticedBy.title}`, how],
        ]),
      },
    ],
    next:
      missed!.length > 0
        ? `npm run mutate -- --only ${missed!.map((each) => each.mutation.name).join(' ')}`
        : undefined,
  }
}

function flat({ mutation: { name, guard, broken, noticedBy }, verdict, how, seconds }: Tried) {
  return { name, guard, broken, verdict, test: `${noticedBy.file}: ${noticedBy.title}`, how, seconds }
}
