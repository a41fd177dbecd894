/**
 * The errors Tally throws on purpose. Code branches on `code` and `retryable`, never on message text.
 *
 * - `retryable: true`: the world may heal (server away, lane taken); wait and try again, park nothing.
 * - `retryable: false`: trying again cannot help; park the event or tell the person.
 */
export type ErrorCode =
  | 'CONFIG_INVALID' // an environment variable or option does not parse
  | 'UNREACHABLE' // Kafka, registry, PostgreSQL, gateway or carrier does not answer
  | 'UNREADABLE' // bytes of a record that no reader schema can decode
  | 'SCHEMA_INCOMPATIBLE' // the registry refused a new schema version
  | 'FENCED' // the lane belongs to a newer epoch: what we hold is stale
  | 'LANE_STOPPED' // records lost to retention, topic re-created or partition count changed
  | 'LANE_FULL' // as many events are parked as may be: the lane waits for a person
  | 'FAILING' // most inputs fail in one way: the service is broken, not they
  | 'EVENTS_GONE' // records that were to be read are deleted: retention, or the topic was cut off
  | 'USAGE' // a person asked for something that cannot be: unknown type, bad file, missing tool
  | 'INVARIANT' // a bug or a broken promise: never expected

export class TallyError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; retryable?: boolean } = {}) {
    super(message, { cause: options.cause })
    this.name = 'TallyError'
    this.code = code
    this.retryable = options.retryable ?? code === 'UNREACHABLE'
  }
}

export const isTallyError = (error: unknown, code?: ErrorCode): error is TallyError =>
  error instanceof TallyError && (code === undefined || error.code === code)

/** One line for a person: the message and, where it adds something, the innermost cause. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // What failed while things were put away, and what had failed before that and matters more
  if (error instanceof SuppressedError) return `${describeError(error.suppressed)}; then: ${describeError(error.error)}`
  const message = error.message || (error as NodeJS.ErrnoException).code || error.name
  const cause = error.cause === undefined ? '' : describeError(error.cause)
  return cause && !message.includes(cause) ? `${message}: ${cause}` : message
}
