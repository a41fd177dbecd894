import { resolve } from 'node:path'
import { z } from 'zod'
import { queueContradictions, queueSettings } from './queue-settings.ts'
import { apiContradictions, apiSettings } from './security/api-settings.ts'
import { unverified } from './security/database-url.ts'
import { contradictions, securitySettings } from './security/security-settings.ts'
import { stackCredentials } from './security/stack-credentials.ts'

declare module 'zod' {
  interface GlobalMeta {
    /** Heading of the page under which the setting is listed; settings of one section stand together. */
    section?: string
    unit?: string
    /** What applies when the variable is not set and the schema has no default. */
    otherwise?: string
  }
}

const count = z.coerce.number().int()
const milliseconds = z.coerce.number().int().min(0).max(86_400_000).meta({ unit: 'ms' })
/** More than the three weeks for which consumers remember events. */
const days = count.min(22).max(36_500).meta({ unit: 'days' })
const share = z.coerce.number().min(0).max(1).meta({ unit: 'share, 0 to 1' })

/** What was measured (docs/capacity.md). */
export const mostPartitions = 1_200

/** Every environment variable that Tally reads. `npm run generate` makes docs/configuration.md of it. */
export const settings = z.object({
  TALLY_DATA_DIR: z.string().min(1).default('.tally').meta({
    section: 'The pipeline',
    description: 'Folder of the embedded servers: data, logs and run files.',
  }),
  TALLY_NAMESPACE: z
    .string()
    .regex(/^([a-z][a-z0-9]{0,19}_)?$/, 'lower-case letters and digits, ending in "_"')
    .default('')
    .meta({
      description:
        'Prefix of topics, groups and database schemas: lower-case letters and digits, ending in `_`. It lets several pipelines share one set of servers.',
    }),
  TALLY_PARTITIONS: count.min(1).max(mostPartitions).default(12).meta({
    unit: 'partitions',
    description: 'Partitions of every topic of a new pipeline. `npm run partitions` changes the number later.',
  }),
  TALLY_SESSION_TIMEOUT_MS: milliseconds.default(6_000).meta({
    description: 'A replica that sends no heartbeat for this long loses its lanes.',
  }),
  TALLY_ORDER_TIMEOUT_MS: milliseconds.min(1).default(900_000).meta({
    description:
      'An order is cancelled if payment and stock are not both confirmed this long after shipping first hears of it.',
  }),
  TALLY_LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info').meta({
    description: 'Lowest level that is logged.',
  }),

  TALLY_KAFKA_BROKERS: z
    .string()
    .regex(/^[^@]*$/, 'host:port[,host:port]; a user is not supported')
    .optional()
    .meta({
      section: 'Servers',
      otherwise: 'the embedded broker',
      description: 'External Kafka brokers, as `host:port[,host:port]`.',
    }),
  TALLY_BROKERS: count.min(1).max(5).optional().meta({
    unit: 'brokers',
    otherwise: '`1`',
    description: 'Embedded Kafka brokers of a new data folder; the folder keeps the number.',
  }),
  TALLY_REPLICATION: count.min(1).max(9).optional().meta({
    unit: 'replicas',
    otherwise: 'one on each broker, at most 3',
    description: 'Replicas of every topic partition.',
  }),
  TALLY_REGISTRY_URL: z.url().optional().meta({
    secret: true,
    otherwise: 'the embedded registry',
    description:
      'External schema registry with the API of Confluent. A user and password in a URL are sent as basic authentication.',
  }),
  TALLY_DATABASE_URL: z
    .string()
    .startsWith('postgres')
    .refine((url) => URL.canParse(url), 'is no URL')
    .refine((url) => !unverified(url), 'sslmode must be verify-full: any other mode accepts every server')
    .optional()
    .meta({
      secret: true,
      otherwise: 'the embedded PostgreSQL',
      description:
        'External PostgreSQL, as a `postgres://` URL; with `?sslmode=verify-full` by TLS. `sslcert` and `sslkey` name files for a client certificate.',
    }),
  TALLY_GATEWAY_URL: z.url().optional().meta({
    secret: true,
    otherwise: 'the simulator',
    description: 'Payment gateway, as a URL. A user and password in it are sent as basic authentication.',
  }),
  TALLY_CARRIER_URL: z.url().optional().meta({
    secret: true,
    otherwise: 'the simulator',
    description: 'Carrier, as a URL, with a user and password as for the gateway.',
  }),
  TALLY_PORT_BASE: count.min(1024).max(65_000).default(28_000).meta({
    description: 'First port. The ports of all servers are at fixed distances from it.',
  }),
  TALLY_API_PORT: count.min(1).max(65_535).optional().meta({
    otherwise: '`TALLY_PORT_BASE` + 80',
    description: 'Port of the orders API.',
  }),
  TALLY_CONSOLE_PORT: count.min(1).max(65_535).optional().meta({
    otherwise: '`TALLY_PORT_BASE` + 83',
    description: 'Port of the console.',
  }),
  TALLY_KAFKAJS_PATCHES: z.enum(['on', 'off']).default('on').meta({
    description:
      'Whether to apply the kafkajs patches that save time. The broker receives the same records either way.',
  }),

  TALLY_MONITOR_PORT: count.min(0).max(65_535).optional().meta({
    section: 'Monitoring',
    otherwise: 'none; a stack gives each of its services a free port',
    description: 'Port on which a service answers `/live`, `/ready` and `/metrics`. 0 picks a free one.',
  }),
  TALLY_MONITOR_HOST: z.string().min(1).default('127.0.0.1').meta({
    description: 'Address on which it answers them; `0.0.0.0` for all. There is no authentication.',
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional().meta({
    otherwise: 'none: nothing is exported',
    description:
      'OpenTelemetry collector to which services export traces and metrics by OTLP/HTTP. The other variables `OTEL_EXPORTER_OTLP_…` apply, too.',
  }),
  OTEL_METRICS_EXPORTER: z.enum(['otlp', 'none']).default('otlp').meta({
    description: 'With `none` only traces are exported, to a collector that takes no metrics.',
  }),
  ...apiSettings,
  ...securitySettings,
  ...queueSettings,

  TALLY_RETRY_LIMIT: count.min(0).max(100).default(5).meta({
    section: 'Parked events',
    unit: 'retries',
    description: 'Automatic retries of a parked event; after them it waits for an operator.',
  }),
  TALLY_RETRY_FIRST_MS: milliseconds.default(1_000).meta({
    description: 'Delay before the first automatic retry. Each further delay is five times as long.',
  }),
  TALLY_PARKED_LIMIT: count.min(1).default(1_000).meta({
    unit: 'events',
    description: 'Parked events that a lane may have; a lane at the limit waits for an operator.',
  }),

  TALLY_KEEP_ORDERS_DAYS: days.optional().meta({
    section: 'Retention',
    otherwise: 'for ever',
    description:
      'How long order-status keeps an order with its timeline after the order has ended and nothing changed. Longer than the topics keep events, or a rebuild brings it back.',
  }),
  TALLY_KEEP_AUDIT_DAYS: days.optional().meta({
    otherwise: 'for ever',
    description:
      'How long it is kept what was done with parked events that are no longer parked. Longer than the topics keep events, or a replay takes what was dropped.',
  }),
  TALLY_KEEP_KEYS_DAYS: count.min(1).max(36_500).default(7).meta({
    unit: 'days',
    description:
      'How long the orders API remembers an idempotency key after its answer. Keys of messages: 30 days or more.',
  }),

  TALLY_SIMULATOR_SEED: count.default(1).meta({
    section: 'Simulators',
    description: 'Seed of the simulators: the same seed gives the same latencies and refusals.',
  }),
  TALLY_SIMULATOR_HOST: z.string().min(1).default('127.0.0.1').meta({
    description: 'Address on which the simulators listen. There is no authentication.',
  }),
  TALLY_GATEWAY_DECLINE_RATE: share.default(0.05).meta({
    description: 'Share of authorizations that the simulated gateway declines.',
  }),
  TALLY_GATEWAY_LATENCY_MS: milliseconds.default(20).meta({ description: 'Median latency of the simulated gateway.' }),
  TALLY_CARRIER_REFUSE_RATE: share.default(0.01).meta({
    description: 'Share of labels that the simulated carrier refuses.',
  }),
  TALLY_CARRIER_LATENCY_MS: milliseconds.default(30).meta({ description: 'Median latency of the simulated carrier.' }),

  JAVA_HOME: z.string().optional().meta({
    section: 'Programs on this machine',
    otherwise: '`PATH` and the usual folders are searched',
    description: 'JDK for the embedded Kafka and schema registry, version 21 or newer.',
  }),
  VISUAL: z
    .string()
    .optional()
    .meta({ otherwise: '`EDITOR`', description: 'Program in which to edit a parked event.' }),
  EDITOR: z.string().optional().meta({ otherwise: 'none', description: 'The same, if `VISUAL` is not set.' }),
  PATH: z
    .string()
    .default('')
    .meta({ otherwise: 'that of the shell', description: 'Folders that are searched for a JDK and Maven.' }),
  TALLY_NORTHWIND_DIR: z.string().optional().meta({
    otherwise: '`data/northwind` in a folder beside the project',
    description: 'Folder of the Northwind CSV files, for the tests that import them.',
  }),
})

/** The settings, and whether they agree with each other. */
export const agreeingSettings = settings.superRefine((env, context) => {
  for (const [variable, message] of contradictionsIn(env))
    context.addIssue({ code: 'custom', path: [variable], message })
})

/** Settings that exclude or need each other. */
export function contradictionsIn(env: z.infer<typeof settings>): (readonly [variable: string, message: string])[] {
  const secured = stackCredentials(resolve(env.TALLY_DATA_DIR)) !== undefined
  return [...contradictions(env), ...apiContradictions(env, secured), ...queueContradictions(env)]
}

/** Variables whose value may be in a file that `<name>_FILE` names. */
export const secretSettings: readonly string[] = Object.entries(settings.shape)
  .filter(([, schema]) => schema.meta()?.secret)
  .map(([name]) => name)
