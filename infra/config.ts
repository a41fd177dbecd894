import { resolve } from 'node:path'
import type { z } from 'zod'
import { TallyError } from './errors.ts'
import { agreeingSettings, secretSettings, settings } from './settings.ts'
import { brokersOf } from './broker-count.ts'
import { forwarders, isWanted, queueAccess } from './queue-settings.ts'
import type { QueueServer } from './queue-settings.ts'
import { apiAccess } from './security/api-settings.ts'
import { trustAuthorities } from './security/authorities.ts'
import { databaseUrl, embeddedDatabaseUrl } from './security/database-url.ts'
import { embeddedAccess, kafkaAccess } from './security/kafka-access.ts'
import { rememberSecret } from './without-secrets.ts'
import { readSecretFiles } from './security/secret-files.ts'
import { stackCredentials } from './security/stack-credentials.ts'
import { decoded, withToken } from './server-address.ts'

export type Config = Readonly<ReturnType<typeof derive>>

/**
 * Reads the configuration from the environment, and lets the process trust the authorities that it names. Only this file
 * reads settings from `process.env`; the width of the terminal (`COLUMNS`, scripts/cli/terminal.ts) is none. Lint names both.
 * @throws TallyError CONFIG_INVALID naming every wrong variable
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const { env: given, problems } = readSecretFiles(env, secretSettings)
  const parsed = agreeingSettings.safeParse(given)
  for (const { path, message } of parsed.error?.issues ?? []) problems.push(`${path.join('.')}: ${message}`)
  if (!parsed.success || problems.length > 0)
    throw new TallyError('CONFIG_INVALID', `Configuration: ${problems.join('; ')}`)
  trustAuthorities(parsed.data.TALLY_CA_FILE)
  for (const name of secretSettings) rememberSecret(secretIn(given[name]))
  for (const header of collectorHeaders(env)) rememberSecret(header)
  for (const name of accountSecrets) rememberSecret(env[name])
  const config = Object.freeze(derive(parsed.data))
  rememberSecret(secretIn(config.postgres.url))
  rememberSecret(secretIn(config.rabbitmq.url))
  if (config.kafka.sasl && 'password' in config.kafka.sasl) rememberSecret(config.kafka.sasl.password)
  return config
}

/** The data folder that an environment names, even if its other variables do not parse. */
export const dataDirOf = (env: NodeJS.ProcessEnv = process.env): string => resolve(env['TALLY_DATA_DIR'] || '.tally')

/** Variables of one process or of this machine, which are not those of a stack. */
const ofOneProcess = new Set([
  'TALLY_DATA_DIR',
  'TALLY_LOG_LEVEL',
  'TALLY_NORTHWIND_DIR',
  'TALLY_KAFKAJS_PATCHES',
  'TALLY_PRINCIPAL',
  'TALLY_MONITOR_PORT',
  'TALLY_MONITOR_HOST',
])

const inFile = (secret: string): string => `${secret}_FILE`
/** The other variable that may hold the same secret: `X` and `X_FILE`. */
export const siblingOf = (name: string): string =>
  name.endsWith('_FILE') ? name.slice(0, -'_FILE'.length) : inFile(name)

/** The variables of an environment that say which stack it means and how that works. */
export const settingsGiven = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    [...Object.keys(settings.shape), ...secretSettings.map(inFile)].flatMap((name) => {
      const value = env[name]
      return value === undefined || !name.startsWith('TALLY_') || ofOneProcess.has(name) ? [] : [[name, value]]
    }),
  )

/** Whether to apply the kafkajs patches. Separate from `Config`, because it concerns the process, not a pipeline. */
export const patchesKafkajs = (env: NodeJS.ProcessEnv = process.env): boolean => env['TALLY_KAFKAJS_PATCHES'] !== 'off'

/** Whether a consumer runs: one that forwards events needs a setting that says where to. */
export const runsConsumer = (name: string, env: NodeJS.ProcessEnv = process.env): boolean => isWanted(name, env)

/** The same by a configuration, which may be that of another process. */
export const configuresConsumer = (name: string, { unwanted }: Config): boolean => !unwanted.includes(name)

/** The environment of this process with some variables replaced, for child processes and other configurations. */
export const environmentWith = (settings: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({ ...process.env, ...settings })

/** Has the stack of this process run a queue server, unless its settings lead to one already. */
export function wantQueueServer(server: QueueServer, env: NodeJS.ProcessEnv = process.env): void {
  const { rabbitmq, sqs } = loadConfig(env)
  if ((server === 'rabbitmq' ? rabbitmq.url : sqs) !== undefined) return
  env['TALLY_QUEUE_SERVERS'] = [env['TALLY_QUEUE_SERVERS'], server].filter(Boolean).join(',')
}

/** Replaces all settings of queues in this process: for a command that starts a stack of its own. */
export function replaceQueueSettings(settings: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv = process.env) {
  for (const name of Object.keys(env)) if (/^TALLY_(RABBITMQ|SQS|QUEUE|FORWARD)_/.test(name)) delete env[name]
  Object.assign(env, settings)
}

/** The environment of this process without the servers that it names, for a stack that needs its own. */
export const environmentWithoutServers = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !/^TALLY_(KAFKA_\w+|(REGISTRY|DATABASE)_\w+|(GATEWAY|CARRIER)_(URL|TOKEN)\w*|(RABBITMQ|SQS|QUEUE|FORWARD)_\w+|NAMESPACE|(API|CONSOLE)_\w+)$/.test(
          name,
        ),
    ),
  )

/** What the AWS SDK reads by itself. Not the files that it reads, nor what it gets for the role of a machine. */
const accountSecrets = ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_CONTAINER_AUTHORIZATION_TOKEN']

/** Values of the headers for the OpenTelemetry collector, which its exporter reads by itself: `api-key=abc,other=x`. */
const collectorHeaders = (env: NodeJS.ProcessEnv): string[] =>
  Object.entries(env)
    .filter(([name]) => /^OTEL_EXPORTER_OTLP_(\w+_)?HEADERS$/.test(name))
    .flatMap(([, value = '']) =>
      value.split(',').map((header) => decoded(header.slice(header.indexOf('=') + 1).trim())),
    )

/** The password of an address, or the whole value of any other secret. */
function secretIn(value: string | undefined): string | undefined {
  const url = value === undefined ? null : URL.parse(value)
  return url ? decoded(url.password) : value
}

function derive(env: z.infer<typeof settings>) {
  const at = (distance: number) => env.TALLY_PORT_BASE + distance
  const dataDir = resolve(env.TALLY_DATA_DIR)
  const nodes = Array.from({ length: brokersOf(dataDir) ?? env.TALLY_BROKERS ?? 1 }, (_, index) => ({
    id: index + 1,
    port: at(index === 0 ? 92 : 93 + 2 * index),
    controllerPort: at(index === 0 ? 93 : 94 + 2 * index),
  }))
  const credentials = stackCredentials(dataDir)
  if (credentials) trustAuthorities(credentials.authority)
  const principal = env.TALLY_PRINCIPAL
  const { queuePorts, rabbitmq, sqs } = queueAccess(env, dataDir, at)
  const external = env.TALLY_DATABASE_URL && databaseUrl(env.TALLY_DATABASE_URL, env.TALLY_DATABASE_PASSWORD)
  return {
    dataDir,
    namespace: env.TALLY_NAMESPACE,
    /** Whether the data folder's embedded servers ask for logins. */
    secured: credentials !== undefined,
    /** Of a new pipeline; once topics exist, the database knows the number: see `infra/topic-generations`. */
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
      console: env.TALLY_CONSOLE_PORT ?? at(83),
      gateway: at(90),
      carrier: at(91),
      advice: at(94),
      ...queuePorts,
    },
    monitor: {
      port: env.TALLY_MONITOR_PORT,
      host: env.TALLY_MONITOR_HOST,
      /** Whether to export traces; the exporter reads the address itself. */
      otlp: env.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined,
      otlpMetrics: env.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined && env.OTEL_METRICS_EXPORTER === 'otlp',
    },
    simulatorHost: env.TALLY_SIMULATOR_HOST,
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
      ...(env.TALLY_KAFKA_BROKERS ? kafkaAccess(env) : embeddedAccess(credentials, principal)),
    },
    failure: {
      retryLimit: env.TALLY_RETRY_LIMIT,
      retryFirstMs: env.TALLY_RETRY_FIRST_MS,
      parkedLimit: env.TALLY_PARKED_LIMIT,
    },
    /** Days; undefined keeps for ever. */
    retention: {
      ordersDays: env.TALLY_KEEP_ORDERS_DAYS,
      auditDays: env.TALLY_KEEP_AUDIT_DAYS,
      keysDays: env.TALLY_KEEP_KEYS_DAYS,
    },
    registry: {
      embedded: !env.TALLY_REGISTRY_URL,
      url: withToken(env.TALLY_REGISTRY_URL, env.TALLY_REGISTRY_TOKEN) ?? `http://127.0.0.1:${at(81)}/apis/ccompat/v7`,
    },
    postgres: {
      embedded: !env.TALLY_DATABASE_URL,
      url: external ?? embeddedDatabaseUrl(dataDir, at(32), { principal, namespace: env.TALLY_NAMESPACE }),
    },
    ...{ rabbitmq, sqs },
    /** Consumers that have nothing to do. */
    unwanted: forwarders.filter((name) => !isWanted(name, env)) as readonly string[],
    api: apiAccess(env, credentials?.tokenKey),
    gateway: {
      embedded: !env.TALLY_GATEWAY_URL,
      url: withToken(env.TALLY_GATEWAY_URL, env.TALLY_GATEWAY_TOKEN) ?? `http://127.0.0.1:${at(90)}`,
      seed: env.TALLY_SIMULATOR_SEED,
      declineRate: env.TALLY_GATEWAY_DECLINE_RATE,
      latencyMs: env.TALLY_GATEWAY_LATENCY_MS,
    },
    carrier: {
      embedded: !env.TALLY_CARRIER_URL,
      url: withToken(env.TALLY_CARRIER_URL, env.TALLY_CARRIER_TOKEN) ?? `http://127.0.0.1:${at(91)}`,
      seed: env.TALLY_SIMULATOR_SEED,
      refuseRate: env.TALLY_CARRIER_REFUSE_RATE,
      latencyMs: env.TALLY_CARRIER_LATENCY_MS,
    },
  }
}
