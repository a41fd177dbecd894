import { basename } from 'node:path'
import { Option } from 'commander'
import globalSetup from '../infra/testing/global-setup.ts'
import globalTeardown from '../infra/testing/global-teardown.ts'
import { createCommand, printJson, printTable, runCommand, say } from './cli/command.ts'
import type { CommonOptions } from './cli/command.ts'
import { integer } from './cli/arguments.ts'
import { duration } from './cli/figures.ts'
import { mutations } from './mutate/mutations.ts'
import { tryMutations } from './mutate/try-mutations.ts'
import type { Tried } from './mutate/try-mutations.ts'

interface MutateOptions extends CommonOptions {
  only?: string[]
  list?: boolean
  jobs: number
  limit: number
}

await runCommand(({ signal }) =>
  createCommand(
    'mutate',
    'Take out one guard at a time, in a copy of this checkout, and see that a named test turns red.\nExit code 0: every guard is guarded; 1: a test did not notice.',
    [
      'npm run mutate',
      'npm run mutate -- --only epoch-check inbox',
      'npm run mutate -- --list',
      'npm run mutate -- --json | jq \'.tried[] | select(.verdict != "noticed")\'',
    ],
  )
    .addOption(new Option('--only <names...>', 'only these mutations').choices(mutations.map(({ name }) => name)))
    .option('--list', 'say which there are, and break nothing')
    .option('--jobs <n>', 'mutations tried at once', integer(1), 2)
    .option('--limit <seconds>', 'a run of tests that takes longer counts as failed', integer(1), 120)
    .action(async ({ only, list, jobs, limit, json }: MutateOptions) => {
      const chosen = only ? mutations.filter(({ name }) => only.includes(name)) : mutations
      if (list) {
        if (json) printJson(chosen)
        else
          printTable(
            ['name', 'guard', 'without it'],
            chosen.map(({ name, guard, broken }) => [name, guard, broken]),
          )
        return
      }
      const since = performance.now()
      await globalSetup()
      try {
        const tried = await tryMutations(chosen, { jobs, timeLimitMs: limit * 1_000, signal, onProgress: say })
        const noticed = tried.filter(({ verdict }) => verdict === 'noticed').length
        const seconds = (performance.now() - since) / 1_000
        if (json) printJson({ noticed, of: tried.length, seconds, tried: tried.map(flat) })
        else {
          printTable(
            ['guard', 'without it', 'noticed by', 'how', 's'],
            tried.map(({ mutation: { guard, broken, noticedBy }, verdict, how, seconds: took }) => {
              const test = `${basename(noticedBy.file)}: ${noticedBy.title}`
              const noticer = verdict === 'noticed' ? test : `${verdict.toUpperCase()} (${test})`
              return [guard, broken, noticer, how.slice(0, 80), Math.round(took)]
            }),
          )
          say(`${noticed} of ${tried.length} noticed, ${duration(seconds * 1_000)}`)
        }
        if (noticed < tried.length) process.exitCode = 1
      } finally {
        await globalTeardown()
      }
    }),
)

function flat({ mutation: { name, guard, broken, noticedBy }, verdict, how, seconds }: Tried) {
  return { name, guard, broken, verdict, test: `${noticedBy.file}: ${noticedBy.title}`, how, seconds }
}
