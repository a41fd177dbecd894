import { withoutSecrets } from './without-secrets.ts'

/**
 * The errors that Tally throws on purpose. Code branches on `code` and `retryable`, never on message text.
 *
 * - `retryable: true`: the condition may pass (a server is down, a lane has another owner). Wait and retry; park nothing.
 * - `retryable: false`: a retry cannot help. Park the event or tell the operator.
 */
export type ErrorCode = keyof typeof errorCodes

/** Every code with its one meaning. A command that fails exits with 1; with CONFIG_INVALID or USAGE, as for a wrong option, with 2. */
export const errorCodes = {
  CONFIG_INVALID: 'an environment variable or option does not parse',
  USAGE: 'an argument, or a file or name that it refers to, is wrong: change the call',
  BAD_LINES: 'lines of an input are wrong: correct them or skip them',
  PRECONDITION_FAILED: 'the present state rules out the request: change the state first',
  BUSY: 'another command or transaction holds what is needed: try again later',
  INTERRUPTED: 'a run was asked to stop and did: it can be resumed',
  DRAIN_TIMEOUT: 'in-flight work did not drain within the time allowed: nothing was switched',
  CLAIM_TIMEOUT: 'lanes were switched but not claimed within the time allowed',
  NOT_DEPLOYED: 'topics, tables or registered schemas do not exist yet: deploy first',
  TOOL_MISSING: 'a program or package that must be installed on this machine is not',
  PORT_TAKEN: 'a port that a server needs is in use',
  REFUSED_BY_KAFKA: 'Kafka rejects the records for good: too large, no permission',
  REFUSED_BY_API: 'the orders API rejects the request for good',
  HANDLER_FAILED: 'a replay stops at an event that its handler cannot process',
  DENIED: 'a server refuses user and password of this process, or what it asks: change the setting',
  UNREACHABLE: 'Kafka, registry, PostgreSQL, gateway or carrier does not answer',
  UNREADABLE: 'no reader schema can decode the bytes of a record',
  SCHEMA_INVALID: 'a schema file is not valid Avro, or uses what Tally does not support',
  SCHEMA_INCOMPATIBLE: 'the registry rejected a new schema version',
  FENCED: 'the lane belongs to a newer epoch: what this owner knows is stale',
  LANE_STOPPED: 'records are lost or damaged, or a topic was re-created or has other partitions',
  LANE_FULL: 'the limit of parked events is reached: the lane waits for an operator',
  FAILING: 'most inputs fail in one way: the service is at fault, not the inputs',
  EVENTS_GONE: 'records to be read are deleted: retention, or the topic was truncated',
  INVARIANT: 'a bug or a broken promise: never expected',
} as const satisfies Readonly<Record<string, string>>

export class TallyError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; retryable?: boolean } = {}) {
    super(withoutSecrets(message), { cause: options.cause })
    this.name = 'TallyError'
    this.code = code
    this.retryable = options.retryable ?? code === 'UNREACHABLE'
  }
}

export const isTallyError = (error: unknown, code?: ErrorCode): error is TallyError =>
  error instanceof TallyError && (code === undefined || error.code === code)

/** One line for the operator: the message and, where it adds something, the innermost cause. Without secrets of addresses. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return withoutSecrets(String(error))
  // The earlier error matters more than the one that disposal threw
  if (error instanceof SuppressedError) return `${describeError(error.suppressed)}; then: ${describeError(error.error)}`
  const message = withoutSecrets(error.message) || (error as NodeJS.ErrnoException).code || error.name
  const cause = error.cause === undefined ? '' : describeError(error.cause)
  return cause && !message.includes(cause) ? `${message}: ${cause}` : message
}

/** The stack of an error, without secrets of addresses; undefined if it has none. */
export const stackOf = (error: unknown): string | undefined =>
  error instanceof Error && error.stack !== undefined ? withoutSecrets(error.stack) : undefined
