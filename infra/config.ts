import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { TallyError } from './errors.ts'
import { brokersOf } from './stack/servers/broker-count.ts'

const port = z.coerce.number().int().min(1).max(65_535)
const rate = z.coerce.number().min(0).max(1)
const ms = z.coerce.number().int().min(0).max(86_400_000)

/** Every environment variable Tally reads, with its default. The only place that looks at `process.env`. */
export const environment = z.object({
  TALLY_DATA_DIR: z.string().min(1).default('.tally').describe('Folder of the embedded servers: data, logs, run files'),
  TALLY_NAMESPACE: z
    .string()
    .regex(/^([a-z][a-z0-9]{0,19}_)?$/, 'lower-case letters and digits, ending in "_"')
    .default('')
    .describe('Prefix of topics, groups and database schemas, so that several pipelines share one set of servers'),
  TALLY_PORT_BASE: z.coerce
    .number()
    .int()
    .min(1024)
    .max(65_000)
    .default(28_000)
    .describe('First port; the others are at fixed distances'),
  TALLY_KAFKA_BROKERS: z.string().optional().describe('Brokers of your own, host:port[,host:port]; embedded otherwise'),
  TALLY_BROKERS: z.coerce
    .number()
    .int()
    .min(1)
    .max(5)
    .optional()
    .describe('Embedded Kafka brokers of a new data folder, which keeps the number (default: 1)'),
  TALLY_REPLICATION: z.coerce
    .number()
    .int()
    .min(1)
    .max(9)
    .optional()
    .describe('Copies of every topic (default: one on each broker, at most 3)'),
  TALLY_REGISTRY_URL: z
    .url()
    .optional()
    .describe('Confluent-compatible schema registry of your own; embedded otherwise'),
  TALLY_DATABASE_URL: z
    .string()
    .startsWith('postgres')
    .optional()
    .describe('PostgreSQL of your own; embedded otherwise'),
  TALLY_GATEWAY_URL: z.url().optional().describe('Payment gateway; the simulator otherwise'),
  TALLY_CARRIER_URL: z.url().optional().describe('Carrier; the simulator otherwise'),
  TALLY_API_PORT: port.optional().describe('Port of the orders API (default: port base + 80)'),
  TALLY_PARTITIONS: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(12)
    .describe('Partitions of every topic of a new pipeline; later `npm run partitions` changes them'),
  TALLY_SESSION_TIMEOUT_MS: ms.default(6_000).describe('A replica silent for so long loses its lanes'),
  TALLY_ORDER_TIMEOUT_MS: ms
    .min(1)
    .default(900_000)
    .describe('An order for which money and goods are not both there after so long is cancelled'),
  TALLY_RETRY_LIMIT: z.coerce
    .number()
    .int()
    .min(0)
    .max(100)
    .default(5)
    .describe('Times a parked event is tried again by itself before it waits for a person'),
  TALLY_RETRY_FIRST_MS: ms.default(1_000).describe('Wait before the first of them; each further is five times as long'),
  TALLY_PARKED_LIMIT: z.coerce
    .number()
    .int()
    .min(1)
    .default(1_000)
    .describe('Events a lane may have parked; then it waits for a person'),
  TALLY_KAFKAJS_PATCHES: z
    .enum(['on', 'off'])
    .default('on')
    .describe('Faster parts for kafkajs: the same bytes to the broker, off to leave it as it is'),
  TALLY_SIMULATOR_SEED: z.coerce.number().int().default(1).describe('Seed of the simulators: latency and refusals'),
  TALLY_GATEWAY_DECLINE_RATE: rate.default(0.05).describe('Share of authorizations the simulated gateway declines'),
  TALLY_GATEWAY_LATENCY_MS: ms.default(20).describe('Median latency of the simulated gateway'),
  TALLY_CARRIER_REFUSE_RATE: rate.default(0.01).describe('Share of labels the simulated carrier refuses'),
  TALLY_CARRIER_LATENCY_MS: ms.default(30).describe('Median latency of the simulated carrier'),
  TALLY_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Least level logged'),
  TALLY_NORTHWIND_DIR: z
    .string()
    .optional()
    .describe('Folder of the Northwind CSV files, for the tests that import them'),
  JAVA_HOME: z
    .string()
    .optional()
    .describe('JDK 21 or newer for the embedded servers; else PATH and the usual folders are searched'),
  VISUAL: z.string().optional().describe('Program to edit a parked event in'),
  EDITOR: z.string().optional().describe('The same, where VISUAL is not set'),
  PATH: z.string().default('').describe('Searched for a JDK and Maven'),
})

export type Config = Readonly<ReturnType<typeof derive>>

/**
 * Reads the configuration, all problems reported at once.
 * @throws TallyError CONFIG_INVALID
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const parsed = environment.safeParse(env)
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new TallyError('CONFIG_INVALID', `Configuration: ${problems.join('; ')}`)
  }
  return Object.freeze(derive(parsed.data))
}

/** Whether kafkajs gets its faster parts. Apart from the rest, because it is a matter of the process, not of a pipeline. */
export const patchesKafkajs = (env: NodeJS.ProcessEnv = process.env): boolean => env['TALLY_KAFKAJS_PATCHES'] !== 'off'

/** Our environment with some variables set otherwise, for processes and configurations of their own. */
export const environmentWith = (settings: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({ ...process.env, ...settings })

/** Our environment without the servers it names, for a stack that must have its own: one that will be broken. */
export const environmentWithoutServers = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^TALLY_(KAFKA_BROKERS|(REGISTRY|DATABASE|GATEWAY|CARRIER)_URL|NAMESPACE|API_PORT)$/.test(name),
    ),
  )

function derive(env: z.infer<typeof environment>) {
  const at = (distance: number) => env.TALLY_PORT_BASE + distance
  const dataDir = resolve(env.TALLY_DATA_DIR)
  const nodes = Array.from({ length: brokersOf(dataDir) ?? env.TALLY_BROKERS ?? 1 }, (_, index) => ({
    id: index + 1,
    port: at(index === 0 ? 92 : 93 + 2 * index),
    controllerPort: at(index === 0 ? 93 : 94 + 2 * index),
  }))
  return {
    dataDir,
    namespace: env.TALLY_NAMESPACE,
    /** The database knows them once there are topics: see `infra/generations`. */
    partitions: env.TALLY_PARTITIONS,
    /** Embedded brokers asked for; the data folder's own number is that of `kafka.nodes`. */
    brokersWanted: env.TALLY_KAFKA_BROKERS ? undefined : env.TALLY_BROKERS,
    generation: 1,
    orderTimeoutMs: env.TALLY_ORDER_TIMEOUT_MS,
    logLevel: env.TALLY_LOG_LEVEL,
    northwindDir: env.TALLY_NORTHWIND_DIR,
    editor: env.VISUAL || env.EDITOR || undefined,
    ports: {
      postgres: at(32),
      registry: at(81),
      registryManagement: at(82),
      api: env.TALLY_API_PORT ?? at(80),
      gateway: at(90),
      carrier: at(91),
      advice: at(94),
    },
    java: { javaHome: env.JAVA_HOME || undefined, searchPath: env.PATH.split(':').filter(Boolean) },
    kafka: {
      embedded: !env.TALLY_KAFKA_BROKERS,
      brokers:
        env.TALLY_KAFKA_BROKERS?.split(',').map((broker) => broker.trim()) ??
        nodes.map(({ port: own }) => `127.0.0.1:${own}`),
      /** The embedded brokers, each a controller, too. */
      nodes,
      /** Copies of every topic; undefined: as many as there are brokers, at most 3. */
      replication: env.TALLY_REPLICATION,
      sessionTimeoutMs: env.TALLY_SESSION_TIMEOUT_MS,
    },
    failure: {
      retryLimit: env.TALLY_RETRY_LIMIT,
      retryFirstMs: env.TALLY_RETRY_FIRST_MS,
      parkedLimit: env.TALLY_PARKED_LIMIT,
    },
    registry: {
      embedded: !env.TALLY_REGISTRY_URL,
      url: env.TALLY_REGISTRY_URL ?? `http://127.0.0.1:${at(81)}/apis/ccompat/v7`,
    },
    postgres: {
      embedded: !env.TALLY_DATABASE_URL,
      url: env.TALLY_DATABASE_URL ?? `postgres://tally:${databasePassword(dataDir)}@127.0.0.1:${at(32)}/tally`,
    },
    gateway: {
      embedded: !env.TALLY_GATEWAY_URL,
      url: env.TALLY_GATEWAY_URL ?? `http://127.0.0.1:${at(90)}`,
      seed: env.TALLY_SIMULATOR_SEED,
      declineRate: env.TALLY_GATEWAY_DECLINE_RATE,
      latencyMs: env.TALLY_GATEWAY_LATENCY_MS,
    },
    carrier: {
      embedded: !env.TALLY_CARRIER_URL,
      url: env.TALLY_CARRIER_URL ?? `http://127.0.0.1:${at(91)}`,
      seed: env.TALLY_SIMULATOR_SEED,
      refuseRate: env.TALLY_CARRIER_REFUSE_RATE,
      latencyMs: env.TALLY_CARRIER_LATENCY_MS,
    },
  }
}

/** The embedded database's password is made at its first start and kept beside its data, readable by the owner only. */
function databasePassword(dataDir: string): string {
  try {
    return readFileSync(join(dataDir, 'postgres.password'), 'utf8').trim()
  } catch {
    return '' // Not started yet: a connection attempt then says so
  }
}
