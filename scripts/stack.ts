import type { Command } from 'commander'
import { loadConfig } from '../infra/config.ts'
import { deleteData } from '../infra/stack/supervisor/data-dir.ts'
import { leftoversOf } from '../infra/stack/supervisor/leftovers.ts'
import { findStack, startOrFindStack, stopStack } from '../infra/stack/supervisor/running-stack.ts'
import { embeddedServers } from '../infra/stack/servers/servers.ts'
import { runningElsewhere } from '../infra/stack/supervisor/running-settings.ts'
import { readStackRecord } from '../infra/stack/supervisor/stack-record.ts'
import { addSubcommand, createCommand, printJson, runCommand, say } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { integer } from './cli/arguments.ts'
import { confirmed } from './cli/consent.ts'
import { stackConfig, withStackOptions } from './stack/stack-options.ts'
import type { NewStackOptions } from './stack/stack-options.ts'
import { during } from './cli/progress.ts'
import { printReport } from './cli/report.ts'
import { addressLines } from './stack/addresses.ts'
import { refuseForeignStack } from './stack/foreign-stack.ts'
import { notReady, statusJson, statusReport } from './stack/print-status.ts'
import { probeStack } from './stack/probe-stack.ts'
import { showLogs } from './stack/show-logs.ts'

export function stackCommand({ signal }: CommandFrame): Command {
  const program = createCommand('stack', 'Inspect and stop what `npm start` has started, and delete its data', [
    'npm run stack -- status',
    'npm run stack -- logs payment --follow',
    'npm run stack -- down',
  ])
  addSubcommand(
    program,
    'status',
    'Show every process and every consumer',
    ['npm run stack -- status', 'npm run stack -- status --json | jq .health.consumers'],
    'Exit code 1: no stack is running, or part of it does not answer within 3 s.',
  ).action((_options: unknown, command: Command) => status(command.optsWithGlobals()))
  addSubcommand(program, 'down', 'Stop all processes, the servers last', [
    'npm run stack -- down',
    'npm run stack -- down --json',
  ]).action((_options: unknown, command: Command) => down(command.optsWithGlobals()))
  addSubcommand(program, 'reset', 'Stop all processes and delete all data: orders, events, schemas and logs', [
    'npm run stack -- reset',
    'npm run stack -- reset --yes',
  ])
    .option('-y, --yes', 'do not ask for confirmation')
    .action((_options: unknown, command: Command) => reset(command.optsWithGlobals()))
  addSubcommand(program, 'logs', 'Show the ends of the logs; with --json as they were written', [
    'npm run stack -- logs payment --follow',
    'npm run stack -- logs kafka --lines 200',
    'npm run stack -- logs payment --json --lines 1000 | jq .lane',
  ])
    .argument('[name]', 'process whose log to show (default: all)')
    .option('-f, --follow', 'show new lines until Ctrl-C')
    .option('-n, --lines <count>', 'number of lines of each log', integer(0), 20)
    .action((name: string | undefined, _options: unknown, command: Command) =>
      showLogs(loadConfig().dataDir, name, command.optsWithGlobals()),
    )
  withStackOptions(
    addSubcommand(program, 'servers', 'Start PostgreSQL, Kafka and the registry only, until Ctrl-C', [
      'npm run stack -- servers',
      'npm run stack -- servers --brokers 3',
    ]),
  ).action((options: NewStackOptions) => servers(options, signal))
  program.hook('preAction', () => refuseForeignStack(loadConfig().dataDir))
  return program
}

if (import.meta.main) await runCommand(stackCommand)

async function status({ json }: CommonOptions): Promise<void> {
  const { dataDir } = loadConfig()
  const found = await findStack(dataDir)
  if (!found) {
    if (json) printJson(null)
    else sayNoStack(dataDir)
    process.exitCode = 1
    return
  }
  const probed = await during('Asking every process for an answer', probeStack(found))
  if (json) printJson(statusJson(found, probed))
  else printReport(statusReport(found, probed))
  if (probed.silent.size > 0 || notReady(found).length > 0) process.exitCode = 1
}

function sayNoStack(dataDir: string): void {
  const record = readStackRecord(dataDir)
  const left = record ? leftoversOf(record).map(({ title }) => title) : []
  if (left.length > 0)
    say(
      `The supervisor has ended, but these processes still run: ${left.join(', ')}. \`npm run stack -- down\` stops them.`,
    )
  else {
    const [other] = runningElsewhere(dataDir)
    const running = other === undefined ? '' : ` With TALLY_DATA_DIR=${other} you see the one that runs there.`
    say(`No stack runs in ${dataDir}. \`npm start\` starts one.${running}`)
  }
}

async function down({ json }: CommonOptions): Promise<void> {
  const { dataDir } = loadConfig()
  const stopped = await during('Stopping the services, then the servers', stopStack(dataDir, say))
  if (json) printJson({ stopped })
  else say(stopped ? 'The stack is stopped.' : `No stack runs in ${dataDir}.`)
}

async function reset({ yes, json }: CommonOptions & { yes?: boolean }): Promise<void> {
  const { dataDir } = loadConfig()
  const deleted = yes || (await confirmed(`Delete all orders, events and schemas in ${dataDir}?`))
  if (deleted) {
    await during('Stopping the services, then the servers', stopStack(dataDir, say))
    deleteData(dataDir)
  }
  if (json) printJson({ deleted })
  else say(deleted ? `The data in ${dataDir} is deleted.` : 'Nothing was deleted.')
}

async function servers(options: NewStackOptions, signal: AbortSignal): Promise<void> {
  const config = await stackConfig(options)
  const processes = embeddedServers(config, { durable: true })
  const stack = await startOrFindStack(config, { processes, sharesSettings: true, onProgress: say, signal })
  if ('found' in stack) {
    say(`A stack has been running since ${stack.found.startedAt}.`)
    return say(addressLines(stack.found))
  }
  say(addressLines(stack.started.status()))
  say('Ctrl-C stops them.')
  await stack.started.ended
}
