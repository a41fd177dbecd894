import { loadConfig } from './config.ts'
import type { Config } from './config.ts'
import { describeError, isTallyError } from './errors.ts'
import { sqlState } from './postgres/sqlstates.ts'

/** Codes of a connection that cannot be made or is lost. Source: Node.js, "Common system errors". */
const disconnected = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
])

/** PostgreSQL's answers that mean "not this database". Source: PostgreSQL, appendix "Error Codes". */
const database: Readonly<Record<string, string>> = {
  [sqlState.invalidPassword]:
    'PostgreSQL refuses the password: set TALLY_DATABASE_URL, or TALLY_DATA_DIR to the folder of the running stack',
  [sqlState.undefinedDatabase]: 'The database does not exist: create it, or set TALLY_DATABASE_URL to one that does',
  [sqlState.undefinedSchema]: 'The database has no such schema: `npm start` makes it; is TALLY_NAMESPACE right?',
  [sqlState.undefinedTable]: 'The database lacks a table: `npm start` makes it; is TALLY_NAMESPACE right?',
  [sqlState.insufficientPrivilege]:
    'PostgreSQL denies this user what is needed: set TALLY_DATABASE_URL to a user who may read and write the tables of all services, such as the one who deployed them',
  [sqlState.tooManyConnections]: 'PostgreSQL has no connection left: end other programs, or raise max_connections',
  [sqlState.startingUp]: 'PostgreSQL is starting up: try again in a moment',
}

export interface Failure {
  /** What is wrong and what to do, for the operator. */
  sentence: string
  exitCode: 1 | 2
}

/** What to tell the operator about an error that ended a command. Exit code 2: the call is wrong, or a setting. */
export function explainFailure(error: unknown, readConfig: () => Config = loadConfig): Failure {
  const full = [...causes(error)].find(({ code }) => code === 'ENOSPC')
  if (full) return { sentence: `The disk is full: free space, then try again (${full.message})`, exitCode: 1 }
  if (isTallyError(error, 'CONFIG_INVALID') || isTallyError(error, 'USAGE'))
    return { sentence: error.message, exitCode: 2 }
  for (const cause of causes(error)) {
    const sentence =
      database[String(cause.code)] ??
      denied(cause, readConfig) ??
      refused(cause, readConfig()) ??
      unreachable(cause, readConfig())
    if (sentence) return { sentence, exitCode: 1 }
  }
  return { sentence: describeError(error), exitCode: 1 }
}

/** The properties that errors of pg, kafkajs, undici and Node may have. */
interface Cause {
  name?: string
  message?: string
  /** Of an answer of Kafka: its name of the error. */
  type?: string
  code?: unknown
  broker?: string
  address?: string
  hostname?: string
  /** Of a certificate error: the name that was asked for, and why it does not match. */
  host?: string
  reason?: string
  port?: number
  cause?: unknown
  errors?: unknown
  originalError?: unknown
}

/** The error and all its causes. */
function* causes(error: unknown): Generator<Cause> {
  if (typeof error !== 'object' || error === null) return
  const found: Cause = error
  yield found
  if (Array.isArray(found.errors)) for (const inner of found.errors) yield* causes(inner)
  yield* causes(found.cause)
  if (found.originalError !== found.cause) yield* causes(found.originalError)
}

/** The errors of kafkajs about a silent broker name no address. */
const silentBroker = new Set(['KafkaJSBrokerNotFound', 'KafkaJSRequestTimeoutError', 'KafkaJSConnectionClosedError'])
/** The errors of pg about a silent server have no code. Source: pg's client.js, pg-pool's index.js. */
const silentDatabase = new Set([
  'Query read timeout',
  'timeout expired',
  'timeout exceeded when trying to connect',
  'Connection terminated due to connection timeout',
  'Connection terminated unexpectedly',
])
const isSilentBroker = ({ name = '', message = '' }: Cause): boolean =>
  silentBroker.has(name) || (name.startsWith('KafkaJS') && message === 'Broker not connected')

/** OpenSSL's reasons why a certificate is not accepted, as Node.js reports them. */
const untrusted =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_\w*(CERT|SIGNATURE)\w*|CERT_\w+|ERR_TLS_CERT_ALTNAME_INVALID)$/

/** TLS alerts about the client's certificate. */
const clientCertificate =
  /alert (certificate|bad certificate|unknown ca|unsupported certificate)|ERR_SSL_\w*ALERT_\w*CERTIFICATE/i
const refusedByKafka = new Set(['KafkaJSSASLAuthenticationError'])

/** A failed TLS handshake or login. The sentence never repeats what the server said about the login. */
function refused(cause: Cause, config: Config): string | undefined {
  if (untrusted.test(String(cause.code)))
    return `The certificate of ${cause.broker ?? cause.host ?? 'a server'} is not accepted (${cause.reason ?? cause.message}): correct its name or dates, or set TALLY_CA_FILE to the certificate of its authority`
  if (clientCertificate.test(`${String(cause.code)} ${cause.message}`))
    return `${cause.broker ?? 'A server'} does not accept the certificate of this process, or asks for one: correct TALLY_KAFKA_CERTIFICATE_FILE and TALLY_KAFKA_KEY_FILE`
  if (!refusedByKafka.has(cause.name ?? '')) return undefined
  const { sasl } = config.kafka
  if (sasl && 'username' in sasl)
    return `Kafka refuses the login of ${sasl.username}: correct TALLY_KAFKA_USER and TALLY_KAFKA_PASSWORD`
  return sasl
    ? 'Kafka refuses the token of this process: correct TALLY_KAFKA_TOKEN_FILE or TALLY_KAFKA_TOKEN_URL'
    : undefined
}

/** What a user may not use, by Kafka's name of the error. */
const deniedByKafka: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED: 'a topic',
  GROUP_AUTHORIZATION_FAILED: 'a group',
  CLUSTER_AUTHORIZATION_FAILED: 'the cluster',
}

/** An access list of Kafka. */
function denied({ type = '' }: Cause, readConfig: () => Config): string | undefined {
  const what = deniedByKafka[type]
  if (what === undefined) return undefined
  const { sasl } = readConfig().kafka
  const who = sasl && 'username' in sasl ? sasl.username : 'the user of this process'
  return `Kafka denies ${who} access to ${what}: log in as a user who may do everything (TALLY_KAFKA_USER; in a secured data folder TALLY_PRINCIPAL=admin), or grant the right; \`npm run deploy -- acls --print\` lists those of services`
}

function unreachable(cause: Cause, config: Config): string | undefined {
  if (isSilentBroker(cause)) return advice({ name: 'Kafka', at: config.kafka.brokers, variable: 'TALLY_KAFKA_BROKERS' })
  if (silentDatabase.has(cause.message ?? '')) return advice(postgresOf(config))
  const named = cause.name === 'KafkaJSConnectionError' ? cause.broker : undefined
  if (!named && !disconnected.has(String(cause.code))) return undefined
  const server = serversOf(config).find(({ at }) => at.some((address) => address === named || matches(address, cause)))
  if (!server) return undefined
  return advice(server)
}

const advice = ({ name, at, variable }: { name: string; at: readonly string[]; variable: string }): string =>
  `${name} does not answer at ${at.join(', ')}: start the stack with \`npm start\`, or set ${variable}`

const matches = (address: string, { address: ip, hostname, port }: Cause): boolean =>
  port !== undefined
    ? address.endsWith(`:${port}`) && (!ip || sameHost(address, ip))
    : !!hostname && address.startsWith(`${hostname}:`)

/** A host name is resolved to an IP before it fails; only two different IPs are different hosts. */
const sameHost = (address: string, ip: string): boolean => address.startsWith(`${ip}:`) || !/^[\d.]+:/.test(address)

const postgresOf = ({ postgres }: Config) => ({
  name: 'PostgreSQL',
  at: [hostOf(postgres.url, '5432')],
  variable: 'TALLY_DATABASE_URL',
})

const serversOf = (config: Config) => [
  postgresOf(config),
  { name: 'Kafka', at: config.kafka.brokers, variable: 'TALLY_KAFKA_BROKERS' },
  { name: 'The schema registry', at: [hostOf(config.registry.url)], variable: 'TALLY_REGISTRY_URL' },
  { name: 'The orders API', at: [`127.0.0.1:${config.ports.api}`], variable: 'TALLY_API_PORT' },
]

function hostOf(url: string, defaultPort?: string): string {
  const { hostname, port, protocol } = new URL(url)
  return `${hostname}:${port || defaultPort || (protocol === 'https:' ? '443' : '80')}`
}
