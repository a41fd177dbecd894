import type { Command } from 'commander'
import { consoleProcess, pipeline, replicas } from './pipeline.ts'
import { startOrFindStack } from '../infra/stack/supervisor/running-stack.ts'
import { embeddedServers } from '../infra/stack/servers/servers.ts'
import { createCommand, printJson, runCommand, say } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { stackConfig, withStackOptions } from './stack/stack-options.ts'
import type { NewStackOptions } from './stack/stack-options.ts'
import { count, duration } from './cli/figures.ts'
import { addFirstCatalogue } from './demo/first-catalogue.ts'
import { readGroups } from '../consumers/operations/groups.ts'
import type { Config } from '../infra/config.ts'
import { describeError } from '../infra/errors.ts'
import { commandLogger } from '../infra/kafka/command-client.ts'
import { addressLines } from './stack/addresses.ts'

/** Inventory may be one of the services that do not start. */
const catalogueWithinMs = 30_000

export const startCommand = ({ signal }: CommandFrame): Command =>
  withStackOptions(
    createCommand('start', 'Start PostgreSQL, Kafka, the registry, simulators and all services, until Ctrl-C', [
      'npm start',
      'npm start -- --brokers 3',
      'npm start -- --secure',
      'TALLY_PORT_BASE=30000 TALLY_DATA_DIR=/tmp/tally npm start',
    ]),
  ).action(async ({ json, brokers, secure }: CommonOptions & NewStackOptions) => {
    const config = await stackConfig({ brokers, secure })
    await readGroups(config) // What a consumer does not accept ends the command before anything runs
    const began = performance.now()
    const stack = await startOrFindStack(config, {
      processes: [...embeddedServers(config, { durable: true }), ...pipeline(config), consoleProcess(config)],
      replicas,
      sharesSettings: true,
      onProgress: say,
      signal,
    })
    if ('started' in stack) await sellSomething(config, signal)
    const status = 'found' in stack ? stack.found : stack.started.status()
    if (json) printJson(status)
    if ('found' in stack) say(`Tally has been running since ${stack.found.startedAt}.`)
    else say(`Tally is running. It started in ${duration(performance.now() - began)}.`)
    say(addressLines(status))
    const absent = status.processes.filter(({ state }) => state !== 'ready' && state !== 'done').map(({ name }) => name)
    if (absent.length > 0) say(`Not ready: ${absent.join(', ')}. \`npm run stack -- status\` shows all processes.`)
    if ('found' in stack) return
    say('Ctrl-C stops it.')
    await stack.started.ended
    say('Tally has stopped.')
  })

if (import.meta.main) await runCommand(startCommand)

/** A start must not fail because of the articles of a newcomer. */
async function sellSomething(config: Config, interrupt: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([interrupt, AbortSignal.timeout(catalogueWithinMs)])
  try {
    const added = await addFirstCatalogue({ config, log: commandLogger('start', config), signal })
    if (added !== undefined) say(`The catalogue has ${count(added, 'article')} of the demo, with stock.`)
  } catch (error) {
    if (interrupt.aborted) return
    say(`The articles of the demo are not in the catalogue: ${describeError(error)}. The next start tries it again.`)
  }
}
