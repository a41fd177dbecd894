import type { Command } from 'commander'
import { loadConfig } from '../infra/config.ts'
import { deleteData } from '../infra/stack/supervisor/data-dir.ts'
import { leftoversOf } from '../infra/stack/supervisor/leftovers.ts'
import { findStack, startOrFindStack, stopStack } from '../infra/stack/supervisor/running-stack.ts'
import { embeddedServers } from '../infra/stack/servers/servers.ts'
import { readRecord } from '../infra/stack/supervisor/stack-record.ts'
import { createCommand, examplesText, printJson, runCommand, say } from './cli/command.ts'
import type { CommonOptions } from './cli/command.ts'
import { integer } from './cli/arguments.ts'
import { confirmed } from './cli/consent.ts'
import { sayAddresses } from './stack/addresses.ts'
import { configWithBrokers, withBrokersOption } from './stack/brokers-option.ts'
import type { BrokersOption } from './stack/brokers-option.ts'
import { refuseForeignStack } from './stack/foreign-stack.ts'
import { printStatus, statusJson } from './stack/print-status.ts'
import { probeStack } from './stack/probe-stack.ts'
import { showLogs } from './stack/show-logs.ts'

await runCommand(({ signal }) => {
  const program = createCommand('stack', 'What `npm start` has started: look at it, stop it, delete its data', [
    'npm run stack -- status',
    'npm run stack -- logs payment --follow',
    'npm run stack -- down',
    'npm run stack -- reset --yes',
  ])
  const subcommand = (name: string, description: string, examples: readonly string[]) =>
    program.command(name).description(description).addHelpText('after', examplesText(examples))

  subcommand(
    'status',
    'show every process and every consumer; exit code 1 when nothing runs, or something in it does not answer',
    ['npm run stack -- status', 'npm run stack -- status --json | jq .health.consumers'],
  ).action((_options: unknown, command: Command) => status(command.optsWithGlobals()))
  subcommand('down', 'stop everything, the servers last', ['npm run stack -- down']).action(down)
  subcommand('reset', 'stop everything and delete all data: orders, events, schemas, logs', [
    'npm run stack -- reset --yes',
  ])
    .option('-y, --yes', 'do not ask')
    .action(reset)
  subcommand('logs', 'show the end of the logs; with --json as they were written', [
    'npm run stack -- logs payment --follow',
    'npm run stack -- logs kafka --lines 200',
    'npm run stack -- logs payment --json --lines 1000 | jq .lane',
  ])
    .argument('[name]', 'of a process (default: all)')
    .option('-f, --follow', 'go on showing')
    .option('-n, --lines <count>', 'how many lines of each', integer(0), 20)
    .action((name: string | undefined, _options: unknown, command: Command) =>
      showLogs(loadConfig().dataDir, name, command.optsWithGlobals()),
    )
  withBrokersOption(
    subcommand('servers', 'start PostgreSQL, Kafka and registry only; Ctrl-C stops them', [
      'npm run stack -- servers',
      'npm run stack -- servers --brokers 3',
    ]),
  ).action((options: BrokersOption) => servers(options, signal))
  program.hook('preAction', () => refuseForeignStack(loadConfig().dataDir))
  return program
})

async function status({ json }: CommonOptions): Promise<void> {
  const { dataDir } = loadConfig()
  const found = await findStack(dataDir)
  if (!found) {
    if (json) printJson(null)
    else sayNothingRuns(dataDir)
    process.exitCode = 1
    return
  }
  const probed = await probeStack(found)
  if (json) printJson(statusJson(found, probed))
  else printStatus(found, probed)
  if (probed.silent.size > 0) process.exitCode = 1
}

function sayNothingRuns(dataDir: string): void {
  const record = readRecord(dataDir)
  const left = record ? leftoversOf(record).map(({ title }) => title) : []
  if (left.length > 0)
    say(
      `The supervisor is gone, still running: ${left.join(', ')}. \`npm run stack -- down\` ends them, \`npm start\` too`,
    )
  else say(`Nothing runs on ${dataDir}: \`npm start\` starts it`)
}

async function down(): Promise<void> {
  const { dataDir } = loadConfig()
  say((await stopStack(dataDir, say)) ? 'Stopped' : `Nothing runs on ${dataDir}`)
}

async function reset({ yes }: { yes?: boolean }): Promise<void> {
  const { dataDir } = loadConfig()
  if (!yes && !(await confirmed(`Delete all orders, events and schemas in ${dataDir}? [y/N] `))) return say('Kept')
  await stopStack(dataDir, say)
  deleteData(dataDir)
  say(`Deleted the data in ${dataDir}`)
}

async function servers(options: BrokersOption, signal: AbortSignal): Promise<void> {
  const config = configWithBrokers(options)
  const processes = embeddedServers(config, { durable: true })
  const stack = await startOrFindStack(config, { processes, onProgress: say, signal })
  if ('found' in stack) {
    say(`A stack runs already, since ${stack.found.startedAt}`)
    return sayAddresses(stack.found)
  }
  sayAddresses(stack.started.status())
  say('Ctrl-C stops them')
  await stack.started.ended
}
