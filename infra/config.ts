import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { z } from 'zod'
import { TallyError } from './errors.ts'
import { settings } from './settings.ts'
import { brokersOf } from './broker-count.ts'

export type Config = Readonly<ReturnType<typeof derive>>

/**
 * Reads the configuration from the environment. Only this file reads settings from `process.env`; the width of the terminal
 * (`COLUMNS`, scripts/cli/terminal.ts) is none. Lint names both.
 * @throws TallyError CONFIG_INVALID naming every wrong variable
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const parsed = settings.safeParse(env)
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new TallyError('CONFIG_INVALID', `Configuration: ${problems.join('; ')}`)
  }
  return Object.freeze(derive(parsed.data))
}

/** The data folder that an environment names, even if its other variables do not parse. */
export const dataDirOf = (env: NodeJS.ProcessEnv = process.env): string => resolve(env['TALLY_DATA_DIR'] || '.tally')

/** Variables of one process or of this machine, which are not those of a stack. */
const ofOneProcess = new Set(['TALLY_DATA_DIR', 'TALLY_LOG_LEVEL', 'TALLY_NORTHWIND_DIR', 'TALLY_KAFKAJS_PATCHES'])

/** The variables of an environment that say which stack it means and how that works. */
export const settingsGiven = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.keys(settings.shape).flatMap((name) => {
      const value = env[name]
      return value === undefined || !name.startsWith('TALLY_') || ofOneProcess.has(name) ? [] : [[name, value]]
    }),
  )

/** Whether to apply the kafkajs patches. Separate from `Config`, because it concerns the process, not a pipeline. */
export const patchesKafkajs = (env: NodeJS.ProcessEnv = process.env): boolean => env['TALLY_KAFKAJS_PATCHES'] !== 'off'

/** The environment of this process with some variables replaced, for child processes and other configurations. */
export const environmentWith = (settings: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({ ...process.env, ...settings })

/** The environment of this process without the servers that it names, for a stack that needs its own. */
export const environmentWithoutServers = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^TALLY_(KAFKA_BROKERS|(REGISTRY|DATABASE|GATEWAY|CARRIER)_URL|NAMESPACE|API_PORT)$/.test(name),
    ),
  )

function derive(env: z.infer<typeof settings>) {
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
      gateway: at(90),
      carrier: at(91),
      advice: at(94),
    },
    monitor: {
      port: env.TALLY_MONITOR_PORT,
      host: env.TALLY_MONITOR_HOST,
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

/** The first start creates the password of the embedded database and keeps it beside its data, readable by the owner only. */
function databasePassword(dataDir: string): string {
  try {
    return readFileSync(join(dataDir, 'postgres.password'), 'utf8').trim()
  } catch {
    return '' // Not started yet: the connection attempt reports it
  }
}
