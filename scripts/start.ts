import { pipeline, replicas } from './pipeline.ts'
import { startOrFindStack } from '../infra/stack/supervisor/running-stack.ts'
import { embeddedServers } from '../infra/stack/servers/servers.ts'
import { createCommand, printJson, runCommand, say } from './cli/command.ts'
import type { CommonOptions } from './cli/command.ts'
import { configWithBrokers, withBrokersOption } from './stack/brokers-option.ts'
import type { BrokersOption } from './stack/brokers-option.ts'
import { addressLines } from './stack/addresses.ts'

await runCommand(({ signal }) =>
  withBrokersOption(
    createCommand('start', 'Start PostgreSQL, Kafka, registry, simulators and services; Ctrl-C stops them', [
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
      onProgress: say,
      signal,
    })
    const status = 'found' in stack ? stack.found : stack.started.status()
    if (json) printJson(status)
    if ('found' in stack) say(`Tally runs already, since ${stack.found.startedAt}`)
    else say(`Tally runs, after ${((performance.now() - began) / 1000).toFixed(1)} s`)
    say(addressLines(status))
    if ('found' in stack) return
    say('Ctrl-C stops it')
    await stack.started.ended
    say('Tally has stopped')
  }),
)
