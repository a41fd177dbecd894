import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { Option } from 'commander'
import { loadConfig } from '../infra/config.ts'
import type { Config } from '../infra/config.ts'
import { currentConfig } from '../infra/topic-generations/current-config.ts'
import type { Pool } from '../infra/postgres/pool.ts'
import { addSubcommand, createCommand, printJson, runCommand } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { actorOf } from './cli/consent.ts'
import { during } from './cli/progress.ts'
import { printReport } from './cli/report.ts'
import { answerWithin } from '../consumers/operations/lanes/answer-within.ts'
import { lanes as readLanes } from './cli/arguments.ts'
import { acceptLossCommand } from './lanes/accept-loss-command.ts'
import { pauseCommand, resumeCommand } from './lanes/pause-command.ts'
import { skipCommand } from './lanes/skip-command.ts'
import { healthJson, healthReport, lanesReport } from './lanes/print-health.ts'
import { openForOperator, readHealth } from '../consumers/operations/lanes/read-health.ts'
import { refuseForeignStack } from './stack/foreign-stack.ts'

const watchEveryMs = 2_000
const clearScreen = '\u001B[H\u001B[2J'

export function lanesCommand({ signal }: CommandFrame): Command {
  const program = createCommand('lanes', 'Show the state of every lane; pause and resume lanes; skip offsets', [
    'npm run lanes -- ls',
    'npm run lanes -- pause payment --lane 0-3,7 --why "checking their orders"',
    'npm run lanes -- resume payment',
  ])
  addSubcommand(
    program,
    'ls',
    'Show one line per consumer, and what needs attention',
    ['npm run lanes -- ls', 'npm run lanes -- ls payment --all --watch'],
    'Exit code 0 even if lanes need attention: it reports, and a pause is no failure. `npm run stack -- status` exits with 1 if a process does not answer.',
  )
    .argument('[consumers...]', 'consumers to show (default: all)')
    .option('-a, --all', 'show every lane')
    .option('-w, --watch', 'repeat every 2 seconds until Ctrl-C')
    .action((names: string[], _options: unknown, command: Command) => list(names, command.optsWithGlobals(), signal))
  addSubcommand(program, 'pause', 'Pause lanes: they process nothing until they are resumed, also after a restart', [
    'npm run lanes -- pause payment --why "the gateway is being moved"',
    'npm run lanes -- pause payment --lane 0-3,7 --why "checking their orders"',
  ])
    .argument('<consumer>', 'consumer whose lanes to pause')
    .requiredOption('--why <text>', 'reason, shown to other operators')
    .option('--lane <lanes>', 'lanes to pause, such as 3 or 0-3,7 (default: all)', readLanes)
    .option('--actor <name>', 'who pauses them (default: your user name)')
    .addOption(formerActor())
    .action((group: string, _options: unknown, command: Command) => {
      const { lane: lanes = [], why, json, ...who } = command.optsWithGlobals<CommonOptions & PauseOptions>()
      const actor = actorOf({ actor: who.actor ?? who.by })
      return connected((config, pool) => pauseCommand(config, pool, { group, lanes, why, actor, json, signal }))
    })
  addSubcommand(program, 'resume', 'Resume paused lanes from their current positions', [
    'npm run lanes -- resume payment',
    'npm run lanes -- resume payment --lane 3',
  ])
    .argument('<consumer>', 'consumer whose lanes to resume')
    .option('--lane <lanes>', 'lanes to resume, such as 3 or 0-3,7 (default: all that are paused)', readLanes)
    .action((group: string, _options: unknown, command: Command) => {
      const { lane: lanes = [], json } = command.optsWithGlobals<CommonOptions & { lane?: number[] }>()
      return connected((config, pool) => resumeCommand(config, pool, { group, lanes, json, signal }))
    })
  addSubcommand(program, 'skip', 'Have a lane pass offsets without processing them, for good', [
    'npm run lanes -- skip payment/3 --offsets orders/3:1200-2399 --why "a test wrote junk"',
  ])
    .argument('<lane>', 'lane that must pass, such as payment/3')
    .requiredOption('--offsets <range>', 'first and last offset to pass, such as orders/3:1200-2399')
    .requiredOption('--why <text>', 'reason, kept with the skip')
    .option('--actor <name>', 'who skips them (default: your user name)')
    .addOption(formerActor())
    .option('-y, --yes', 'do not ask for confirmation')
    .action((place: string, _options: unknown, command: Command) => {
      const { offsets, why, yes, json, ...who } = command.optsWithGlobals<CommonOptions & SkipOptions>()
      const actor = actorOf({ actor: who.actor ?? who.by })
      return connected((config, pool) => skipCommand(config, pool, { place, offsets, why, actor, yes, json }))
    })
  addSubcommand(program, 'accept-loss', 'Resume stopped lanes without the records that the broker no longer has', [
    'npm run lanes -- accept-loss payment/3 --why "the retention was too short"',
    'npm run lanes -- accept-loss payment --why "the topic was re-created" --yes',
  ])
    .argument('<lanes>', 'lanes, such as payment/3, payment/0-3,7, or payment for all of them')
    .requiredOption('--why <text>', 'reason, kept with the loss')
    .option('--actor <name>', 'who accepts it (default: your user name)')
    .option('-y, --yes', 'accept it without a question (without a terminal: otherwise only show what is lost)')
    .action((place: string, _options: unknown, command: Command) => {
      const { why, yes, json, ...who } = command.optsWithGlobals<CommonOptions & AcceptLossOptions>()
      const actor = actorOf(who)
      return connected((config, pool) => acceptLossCommand(config, pool, { place, why, actor, yes, json, signal }))
    })
  return program
}

if (import.meta.main) await runCommand(lanesCommand)

/** `--actor` is its name in all commands. */
function formerActor(): Option {
  return new Option('--by <name>', 'the same as --actor').hideHelp()
}

interface ActorOptions {
  actor?: string
  by?: string
}

interface AcceptLossOptions extends ActorOptions {
  why: string
  yes?: boolean
}

interface SkipOptions extends ActorOptions {
  offsets: string
  why: string
  yes?: boolean
}

interface PauseOptions extends ActorOptions {
  lane?: number[]
  why: string
}

async function list(
  names: readonly string[],
  { all, watch, json }: CommonOptions & { all?: boolean; watch?: boolean },
  signal: AbortSignal,
): Promise<void> {
  await connected(async (config, pool) => {
    for (let first = true; first || (watch && !signal.aborted); first = false) {
      if (!first) await delay(watchEveryMs, undefined, { signal })
      const health = await during('Reading the lanes', readHealth(config, pool, names))
      if (watch && !json && process.stdout.isTTY) process.stdout.write(clearScreen)
      if (json) printJson(healthJson(health))
      else printReport(all ? lanesReport(health) : healthReport(health))
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
