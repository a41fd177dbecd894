import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { loadConfig } from '../infra/config.ts'
import type { Config } from '../infra/config.ts'
import { currentConfig } from '../infra/topic-generations/current-config.ts'
import type { Pool } from '../infra/postgres/pool.ts'
import { createCommand, examplesText, printJson, runCommand } from './cli/command.ts'
import type { CommonOptions } from './cli/command.ts'
import { answerWithin } from '../consumers/operations/lanes/answer-within.ts'
import { parseLanes } from '../consumers/operations/lanes/lane-ranges.ts'
import { pauseCommand, resumeCommand } from './lanes/pause-command.ts'
import { healthJson, printHealth, printLanes } from './lanes/print-health.ts'
import { openForOperator, readHealth } from '../consumers/operations/lanes/read-health.ts'
import { refuseForeignStack } from './stack/foreign-stack.ts'

const watchEveryMs = 2_000
const clearScreen = '\u001B[H\u001B[2J'

await runCommand(({ signal }) => {
  const program = createCommand('lanes', 'How every lane of every consumer is; let lanes stand still and go on', [
    'npm run lanes -- ls',
    'npm run lanes -- ls payment --all',
    'npm run lanes -- ls --watch',
    'npm run lanes -- pause payment --why "the gateway is being moved"',
    'npm run lanes -- pause payment --lane 0-3,7 --why "looking at their orders"',
    'npm run lanes -- resume payment',
  ])
  program
    .command('ls')
    .description('one line per consumer, and what a person should look at')
    .addHelpText('after', examplesText(['npm run lanes -- ls', 'npm run lanes -- ls payment --all --watch']))
    .argument('[consumers...]', 'which (default: all)')
    .option('-a, --all', 'show every lane')
    .option('-w, --watch', 'again every two seconds, until Ctrl-C')
    .action((names: string[], _options: unknown, command: Command) => list(names, command.optsWithGlobals(), signal))
  program
    .command('pause')
    .description('have lanes take nothing more; holds across restarts, until resumed')
    .addHelpText('after', examplesText(['npm run lanes -- pause payment --lane 0-3,7 --why "looking at their orders"']))
    .argument('<consumer>')
    .requiredOption('--why <text>', 'the reason, for others to read')
    .option('--lane <lanes>', 'which, as in 3 or 0-3,7 (default: all)', parseLanes, [])
    .option('--by <name>', 'who wants it (default: your user name)')
    .action((group: string, _options: unknown, command: Command) => {
      const { lane: lanes, why, by, json } = command.optsWithGlobals<CommonOptions & PauseOptions>()
      return connected((config, pool) => pauseCommand(config, pool, { group, lanes, why, by, json, signal }))
    })
  program
    .command('resume')
    .description('have paused lanes go on, each exactly where it stands')
    .addHelpText('after', examplesText(['npm run lanes -- resume payment', 'npm run lanes -- resume payment --lane 3']))
    .argument('<consumer>')
    .option('--lane <lanes>', 'which, as in 3 or 0-3,7 (default: all that are paused)', parseLanes, [])
    .action((group: string, _options: unknown, command: Command) => {
      const { lane: lanes, json } = command.optsWithGlobals<CommonOptions & { lane: number[] }>()
      return connected((config, pool) => resumeCommand(config, pool, { group, lanes, json, signal }))
    })
  return program
})

interface PauseOptions {
  lane: number[]
  why: string
  by?: string
}

async function list(
  names: readonly string[],
  { all, watch, json }: CommonOptions & { all?: boolean; watch?: boolean },
  signal: AbortSignal,
): Promise<void> {
  await connected(async (config, pool) => {
    for (let first = true; first || (watch && !signal.aborted); first = false) {
      if (!first) await delay(watchEveryMs, undefined, { signal })
      const health = await readHealth(config, pool, names)
      if (watch && !json && process.stdout.isTTY) process.stdout.write(clearScreen)
      if (json) printJson(healthJson(health))
      else if (all) printLanes(health)
      else printHealth(health)
    }
  })
}

async function connected(work: (config: Config, pool: Pool) => Promise<void>): Promise<void> {
  const config = loadConfig()
  if (config.postgres.embedded) refuseForeignStack(config.dataDir)
  const pool = openForOperator(config)
  try {
    await work(await answerWithin('PostgreSQL', currentConfig(config, pool)), pool)
  } finally {
    await pool.end()
  }
}
