import type { Command } from 'commander'
import { consumerFolders } from '../consumers/runtime/load-consumer.ts'
import { createCommand, printJson, runCommand, say } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { deployDatabase, deploySchemas, deployTopics } from '../consumers/operations/deploy/steps.ts'
import { findOutdatedReplicas, outdatedSentences } from '../consumers/operations/deploy/outdated-replicas.ts'
import { loadConfig } from '../infra/config.ts'
import { commandLogger } from '../infra/kafka/command-client.ts'

const steps = { database: deployDatabase, topics: deployTopics, schemas: deploySchemas }
type Step = keyof typeof steps

interface Options extends CommonOptions {
  consumer?: string
  allowFewerReplicas?: boolean
}

/** `npm run deploy`: brings database, topics and schemas to what this code expects. It is safe to repeat. */
export const deployCommand = (_frame: CommandFrame): Command =>
  createCommand(
    'deploy',
    'Migrate the database, create topics and register schemas; safe to repeat',
    [
      'npm run deploy',
      'npm run deploy -- database',
      'npm run deploy -- topics schemas',
      'npm run deploy -- database --consumer payment',
    ],
    'Names running replicas that ignore events which this code handles, and how to restart them.',
  )
    .argument('[steps...]', `${Object.keys(steps).join(', ')} (default: all, in this order)`)
    .option('--consumer <name>', 'migrate the tables of this consumer only')
    .option('--allow-fewer-replicas', 'create topics while brokers are down, with fewer copies for good')
    .action(async (chosen: string[], { consumer, json, allowFewerReplicas: allowFewer }: Options, command) => {
      const unknown = chosen.filter((step) => !(step in steps))
      if (unknown.length > 0)
        command.error(`unknown step ${unknown.join(', ')}: there are ${Object.keys(steps).join(', ')}`)
      if (consumer !== undefined && !consumerFolders().includes(consumer))
        command.error(`error: no consumer "${consumer}": there are ${consumerFolders().join(', ')}`)
      const config = loadConfig()
      const log = commandLogger('deploy', config)
      for (const step of (chosen.length > 0 ? chosen : Object.keys(steps)) as Step[]) {
        const outcome = await steps[step](config, log, consumer, { allowFewer })
        if (json) printJson({ step, outcome })
        else say(outcome)
      }
      if (chosen.length > 0 && !chosen.includes('schemas')) return
      const outdated = await findOutdatedReplicas(config, log)
      if (json && outdated.length > 0) printJson({ step: 'replicas', outdated })
      if (!json) for (const sentence of outdatedSentences(outdated)) say(sentence)
    })

if (import.meta.main) await runCommand(deployCommand)
