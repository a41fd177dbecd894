import type { Command } from 'commander'
import { consumerFolders } from '../consumers/runtime/load-consumer.ts'
import { createCommand, printJson, runCommand, say } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { deployDatabase, deploySchemas, deployTopics } from '../consumers/operations/deploy/steps.ts'
import { findOutdatedReplicas, outdatedSentences } from '../consumers/operations/deploy/outdated-replicas.ts'
import { aclCommand, applyAcls, declaredAcls } from '../consumers/operations/access/acls.ts'
import type { AclOptions } from '../consumers/operations/access/acls.ts'
import { applyRoles, declaredRoles } from '../consumers/operations/access/roles.ts'
import type { Logger } from '../infra/logger.ts'
import { loadConfig } from '../infra/config.ts'
import type { Config } from '../infra/config.ts'
import { commandLogger } from '../infra/kafka/command-client.ts'

/** Steps of every deployment, in order. */
const steps = { database: deployDatabase, topics: deployTopics, schemas: deploySchemas }
type Step = keyof typeof steps
/** Only when asked for: not every server has logins, and not everybody who deploys may give rights. */
const access = {
  acls: { print: printAcls, apply: (config: Config, _log: Logger, options: AclOptions) => applyAcls(config, options) },
  roles: {
    print: printRoles,
    apply: (config: Config, log: Logger, { passwords }: { passwords?: string }) => applyRoles(config, log, passwords),
  },
}
type Access = keyof typeof access
const isAccess = (step: string): step is Access => step in access

interface Options extends CommonOptions {
  consumer?: string
  allowFewerReplicas?: boolean
  print?: boolean
  apply?: boolean
  principal?: string
  passwords?: string
}

/** `npm run deploy`: brings database, topics and schemas to what this code expects. It is safe to repeat. */
export const deployCommand = (_frame: CommandFrame): Command =>
  createCommand(
    'deploy',
    'Migrate the database, create topics and register schemas; safe to repeat',
    [
      'npm run deploy',
      'npm run deploy -- topics schemas',
      'npm run deploy -- database --consumer payment',
      'npm run deploy -- acls roles --print',
      'npm run deploy -- acls --apply --principal "User:CN={service}"',
      'npm run deploy -- roles --apply --passwords /run/secrets',
    ],
    'Names running replicas that ignore events which this code handles, and how to restart them.',
  )
    .argument('[steps...]', `${Object.keys(steps).join(', ')} (default: these, in this order), acls, roles`)
    .option('--consumer <name>', 'migrate the tables of this consumer only')
    .option('--allow-fewer-replicas', 'create topics while brokers are down, with fewer copies for good')
    .option('--print', 'print the rights of the services at Kafka (acls) or in PostgreSQL (roles), change nothing')
    .option('--apply', 'give the services these rights, and take others from them')
    .option('--principal <pattern>', 'how Kafka names a service (default: User:{service})')
    .option('--passwords <folder>', 'with --apply of roles: set the passwords that are in <service>.password')
    .action(async (chosen: string[], options: Options, command) => {
      const { consumer, json, allowFewerReplicas: allowFewer, print, apply, principal, passwords } = options
      const unknown = chosen.filter((step) => !(step in steps) && !isAccess(step))
      if (unknown.length > 0)
        command.error(
          `unknown step ${unknown.join(', ')}: there are ${[...Object.keys(steps), ...Object.keys(access)].join(', ')}`,
        )
      if (chosen.some(isAccess) && Boolean(print) === Boolean(apply))
        command.error('error: acls and roles need either --print or --apply')
      if (!chosen.some(isAccess) && (print || apply || principal || passwords))
        command.error('error: --print, --apply, --principal and --passwords belong to acls and roles')
      if (consumer !== undefined && !consumerFolders().includes(consumer))
        command.error(`error: no consumer "${consumer}": there are ${consumerFolders().join(', ')}`)
      const config = loadConfig()
      const log = commandLogger('deploy', config)
      for (const step of (chosen.length > 0 ? chosen : Object.keys(steps)) as (Step | Access)[]) {
        const outcome = isAccess(step)
          ? await access[step][print ? 'print' : 'apply'](config, log, { principal, passwords })
          : await steps[step](config, log, consumer, { allowFewer })
        if (print && !json) {
          process.stdout.write(`${outcome}\n`)
          continue
        }
        if (json) printJson({ step, outcome })
        else say(outcome)
      }
      if (chosen.length > 0 && !chosen.includes('schemas')) return
      const outdated = await findOutdatedReplicas(config, log)
      if (json && outdated.length > 0) printJson({ step: 'replicas', outdated })
      if (!json) for (const sentence of outdatedSentences(outdated)) say(sentence)
    })

async function printAcls(config: Config, _log: Logger, options: AclOptions): Promise<string> {
  const [server = ''] = config.kafka.brokers
  return (await declaredAcls(config, options)).map((acl) => aclCommand(acl, server)).join('\n')
}

async function printRoles(config: Config): Promise<string> {
  return (await declaredRoles(config)).map((statement) => `${statement};`).join('\n')
}

if (import.meta.main) await runCommand(deployCommand)
