import { declaredRights } from '../../consumers/operations/access/rights.ts'
import type { ServiceRights } from '../../consumers/operations/access/rights.ts'
import { configuresConsumer, loadConfig } from '../../infra/config.ts'
import type { Config } from '../../infra/config.ts'
import { connectionsOf } from '../../infra/postgres/pool-sizes.ts'
import { roleName } from '../../infra/security/database-url.ts'

/** Ports inside a container. */
export const ports = { api: 8080, monitor: 9464, kafka: 9092, database: 5432, registry: 8080 } as const

/** A service as it is deployed: the orders API or a consumer. */
export interface DeployedService {
  /** Its name, and its principal at Kafka. */
  readonly name: string
  readonly rights: ServiceRights
  /** Its role in the database. */
  readonly role: string
  /** Arguments of Node.js. */
  readonly command: readonly string[]
  /** Of the database, for each replica. */
  readonly connections: number
  readonly isApi: boolean
  /** Another service as which it logs in to Kafka and the database. @default its own name */
  readonly principal?: string
}

/** What the code says of a deployment. Independent of the environment in which this runs. */
export interface Declared {
  readonly config: Config
  /** The orders API first. */
  readonly services: readonly DeployedService[]
  /** Consumers that run only where a setting says where to forward events. */
  readonly forwarders: readonly DeployedService[]
}

/** With a target for every forwarder. Which one does not matter: rights and tables do not depend on it. */
const forwarding = {
  TALLY_RABBITMQ_URL: 'amqp://rabbitmq',
  TALLY_FORWARD_RABBITMQ: 'exchange:events',
  TALLY_SQS_REGION: 'any',
  TALLY_FORWARD_SQS: 'events',
}

export async function readDeclared(): Promise<Declared> {
  const config = loadConfig({})
  const rights = await declaredRights(loadConfig(forwarding))
  const all = rights.map((own): DeployedService => {
    const isApi = own.group === undefined
    return {
      ...{ name: own.principal, rights: own, isApi, role: roleName('', own.principal) },
      command: isApi ? ['producers/orders-api/main.ts'] : ['consumers/main.ts', own.principal],
      connections: isApi ? connectionsOf.ordersApi : connectionsOf.consumer,
    }
  })
  return {
    config,
    services: all.filter(({ name }) => configuresConsumer(name, config)),
    forwarders: all.filter(({ name }) => !configuresConsumer(name, config)),
  }
}

/** Connections of every service at its most replicas, of the registry and of commands, rounded up. */
export function connectionsFor({ services, forwarders, config }: Declared): number {
  const needed = [...services, ...forwarders].reduce((sum, { connections }) => sum + connections * config.partitions, 0)
  return Math.ceil((needed + 40) / 50) * 50
}

/** Where the servers of a deployment are, and where its containers find their secrets. */
export interface Surroundings {
  /** host:port, separated by commas. */
  readonly kafka: string
  /** host:port */
  readonly database: string
  readonly registryUrl: string
  /** Files with the authorities of the servers. */
  readonly authorities: readonly string[]
  /** Of a principal. */
  readonly certificate: (principal: string) => string
  readonly key: (principal: string) => string
  readonly databasePassword: (principal: string) => string
}

/** The variables by which a process reaches the servers as this principal. */
export const environmentOf = (
  { principal, role }: { principal: string; role: string },
  { partitions }: Config,
  place: Surroundings,
): Record<string, string> => ({
  TALLY_CA_FILE: place.authorities.join(','),
  TALLY_KAFKA_BROKERS: place.kafka,
  TALLY_KAFKA_SECURITY: 'SSL',
  TALLY_KAFKA_CERTIFICATE_FILE: place.certificate(principal),
  TALLY_KAFKA_KEY_FILE: place.key(principal),
  TALLY_DATABASE_URL: `postgres://${role}@${place.database}/tally?sslmode=verify-full`,
  TALLY_DATABASE_PASSWORD_FILE: place.databasePassword(principal),
  TALLY_REGISTRY_URL: place.registryUrl,
  TALLY_PARTITIONS: String(partitions),
  TALLY_REPLICATION: '3',
})

/**
 * What the orders API needs beside that: it listens to others, so it asks for tokens.
 * @param names by which clients may address it
 */
export const apiEnvironment = (keyFile: string, names: readonly string[]): Record<string, string> => ({
  TALLY_API_ALLOWED_HOSTS: names.join(','),
  TALLY_API_HOST: '0.0.0.0',
  TALLY_API_PORT: String(ports.api),
  TALLY_API_KEY_FILE: keyFile,
})
