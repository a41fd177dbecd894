import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { loadConfig } from '../infra/config.ts'
import { TallyError } from '../infra/errors.ts'
import { deleteData, loadStackConfig } from '../infra/stack/data-dir.ts'
import { leftoversOf } from '../infra/stack/leftovers.ts'
import { findStack, startOrFindStack, stopStack } from '../infra/stack/running-stack.ts'
import { embeddedServers } from '../infra/stack/servers.ts'
import { readRecord } from '../infra/stack/stack-record.ts'
import { createCommand, printJson, runCommand, say } from './cli.ts'
import type { CommonOptions } from './cli.ts'
import { sayAddresses } from './stack/addresses.ts'
import { printStatus } from './stack/print-status.ts'

await runCommand(({ signal }) => {
  const program = createCommand('stack', 'What `npm start` has started: look at it, stop it, delete its data', [
    'npm run stack -- status',
    'npm run stack -- logs payment --follow',
    'npm run stack -- down',
    'npm run stack -- reset --yes',
  ])
  program
    .command('status')
    .description('show every process; exit code 1 when nothing runs')
    .action((_options, command) => status(command.optsWithGlobals()))
  program.command('down').description('stop everything, the servers last').action(down)
  program
    .command('reset')
    .description('stop everything and delete all data: orders, events, schemas, logs')
    .option('-y, --yes', 'do not ask')
    .action(reset)
  program
    .command('logs')
    .description('show the end of the logs')
    .argument('[name]', 'of a process (default: all)')
    .option('-f, --follow', 'go on showing')
    .option('-n, --lines <count>', 'how many lines of each', '20')
    .action(logs)
  program
    .command('servers')
    .description('start PostgreSQL, Kafka and registry only; Ctrl-C stops them')
    .action(() => servers(signal))
  return program
})

async function status({ json }: CommonOptions): Promise<void> {
  const { dataDir } = loadConfig()
  const found = await findStack(dataDir)
  if (json) printJson(found ?? null)
  else if (found) printStatus(found)
  else sayNothingRuns(dataDir)
  if (!found) process.exitCode = 1
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

async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new TallyError('USAGE', 'Deleting all data needs a yes: add --yes')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(question)
  terminal.close()
  return /^y(es)?$/i.test(answer.trim())
}

async function logs(name: string | undefined, { follow, lines }: { follow?: boolean; lines: string }): Promise<void> {
  const folder = join(loadConfig().dataDir, 'logs')
  const known = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.log')) : []
  const chosen = name === undefined ? known : known.filter((file) => file === `${name}.log`)
  if (chosen.length === 0) {
    const names = known.map((file) => file.slice(0, -'.log'.length)).join(', ') || 'none yet'
    throw new TallyError(
      'USAGE',
      name === undefined ? `No logs in ${folder}` : `No log of "${name}"; there are: ${names}`,
    )
  }
  const args = [...(follow ? ['-F'] : []), '-n', lines, '--', ...chosen]
  await once(spawn('tail', args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] }), 'exit')
}

async function servers(signal: AbortSignal): Promise<void> {
  const config = loadStackConfig()
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
