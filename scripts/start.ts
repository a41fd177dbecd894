import type { Command } from 'commander'
import { pipeline, replicas } from './pipeline.ts'
import { startOrFindStack } from '../infra/stack/supervisor/running-stack.ts'
import { embeddedServers } from '../infra/stack/servers/servers.ts'
import { createCommand, printJson, runCommand, say } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { configWithBrokers, withBrokersOption } from './stack/brokers-option.ts'
import type { BrokersOption } from './stack/brokers-option.ts'
import { duration } from './cli/figures.ts'
import { addressLines } from './stack/addresses.ts'

export const startCommand = ({ signal }: CommandFrame): Command =>
  withBrokersOption(
    createCommand('start', 'Start PostgreSQL, Kafka, the registry, simulators and all services, until Ctrl-C', [
      'npm start',
      'npm start -- --brokers 3',
      'TALLY_PORT_BASE=30000 TALLY_DATA_DIR=/tmp/tally npm start',
    ]),
  ).action(async ({ json, brokers }: CommonOptions & BrokersOption) => {
    const config = configWithBrokers({ brokers })
    const began = performance.now()
    const stack = await startOrFindStack(config, {
      processes: [...embeddedServers(config, { durable: true }), ...pipeline(config)],
      replicas,
      sharesSettings: true,
      onProgress: say,
      signal,
    })
    const status = 'found' in stack ? stack.found : stack.started.status()
    if (json) printJson(status)
    if ('found' in stack) say(`Tally has been running since ${stack.found.startedAt}.`)
    else say(`Tally is running. It started in ${duration(performance.now() - began)}.`)
    say(addressLines(status))
    if ('found' in stack) return
    say('Ctrl-C stops it.')
    await stack.started.ended
    say('Tally has stopped.')
  })

if (import.meta.main) await runCommand(startCommand)
