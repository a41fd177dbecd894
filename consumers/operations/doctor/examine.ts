import { environmentWith, loadConfig } from '../../../infra/config.ts'
import type { Config } from '../../../infra/config.ts'
import { describeError } from '../../../infra/errors.ts'
import { connectionsOf } from '../../../infra/postgres/pool-sizes.ts'
import { consumerFolders } from '../../runtime/load-consumer.ts'
import type { ServiceConnections } from '../../../infra/doctor/check-connections.ts'
import { checkDatabase } from './check-database.ts'
import { checkDisk } from './check-disk.ts'
import { checkKafka } from './check-kafka.ts'
import { checkOutside } from './check-outside.ts'
import { checkRabbitmq, checkSqs } from './check-queues.ts'
import { checkRegistry } from './check-registry.ts'
import { checkSettings } from '../../../infra/doctor/check-settings.ts'
import { areas } from '../../../infra/doctor/finding.ts'
import type { Finding } from '../../../infra/doctor/finding.ts'

export interface Examination {
  /** @default that of this process */
  readonly env?: NodeJS.ProcessEnv
  /** Replicas to plan for, of every service. @default 1 */
  readonly replicas?: number
  /** Replicas to plan for, by service; wins. */
  readonly replicasOf?: Readonly<Record<string, number>>
  /** The clock of this host. @default its own */
  readonly now?: () => number
}

/**
 * Checks everything that a pipeline needs, all of it although parts are wrong: what a wrong setting names is not checked.
 * Changes nothing. @returns all findings, in the order of `areas`
 */
export async function examine({
  env = environmentWith({}),
  replicas = 1,
  replicasOf = {},
  now,
}: Examination = {}): Promise<Finding[]> {
  const { findings, usable, wrongServers } = checkSettings(env)
  const config = readConfig(usable)
  if (typeof config === 'string')
    return [
      ...findings,
      { area: 'settings', problem: config, cure: 'Correct it; docs/configuration.md lists all settings' },
    ]
  const isWrong = (server: Server) => wrongServers.has(servers[server])
  const unless = async (server: Server, check: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> =>
    isWrong(server) ? [unchecked(server)] : check()
  const services: ServiceConnections[] = [
    ...consumerFolders().map((service) => ({ service, each: connectionsOf.consumer })),
    { service: 'orders-api', each: connectionsOf.ordersApi },
  ].map((service) => ({ ...service, replicas: replicasOf[service.service] ?? replicas }))
  const database = isWrong('database') ? undefined : checkDatabase(config, { now: now ?? Date.now, services })
  const disk = config.kafka.embedded || config.postgres.embedded ? checkDisk(config.dataDir) : []
  const answers = await Promise.all([
    database?.then((checked) => checked.findings) ?? [unchecked('database')],
    // The partition count is the database's; without one, the configured
    unless('brokers', async () => checkKafka((await database)?.current ?? config)),
    unless('registry', () => checkRegistry(config)),
    unless('gateway', () => checkOutside('gateway', config.gateway.url, 'TALLY_GATEWAY_URL')),
    unless('carrier', () => checkOutside('carrier', config.carrier.url, 'TALLY_CARRIER_URL')),
    unless('rabbitmq', () => checkRabbitmq(config)),
    unless('sqs', () => checkSqs(config)),
  ])
  const all: Finding[] = [...findings, ...disk, ...answers.flat()]
  return all.sort((a, b) => areas.indexOf(a.area) - areas.indexOf(b.area))
}

/** How the settings of each server begin. */
const servers = {
  database: 'TALLY_DATABASE_',
  brokers: 'TALLY_KAFKA_',
  registry: 'TALLY_REGISTRY_',
  gateway: 'TALLY_GATEWAY_',
  carrier: 'TALLY_CARRIER_',
  rabbitmq: 'TALLY_QUEUE_',
  sqs: 'TALLY_QUEUE_',
} as const
type Server = keyof typeof servers

const unchecked = (area: Server): Finding => ({
  area,
  problem: 'Nothing of it was checked, because a setting that says where or how is wrong',
  cure: 'Correct the settings, then repeat',
})

/** The configuration, or why there is none. */
function readConfig(env: NodeJS.ProcessEnv): Config | string {
  try {
    return loadConfig(env)
  } catch (error) {
    return describeError(error)
  }
}
