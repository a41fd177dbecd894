import { SQSClient } from '@aws-sdk/client-sqs'
import { describeError, isTallyError, TallyError } from '../errors.ts'

export interface SqsAccess {
  readonly region: string
  /** Undefined: that of AWS in the region. */
  readonly endpoint?: string | undefined
  /** Undefined: the SDK looks for them. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined
}

export interface SqsOptions {
  /** How long SQS may take to answer an attempt, longer than a long poll (20 s). @default 25000 */
  readonly requestMs?: number
  /** Whether bodies are compared by their MD5. @default true */
  readonly md5?: boolean
}

/** A client with the SDK's own retries: three attempts with growing delays. */
export const createSqs = (
  { region, endpoint, credentials }: SqsAccess,
  { requestMs = 25_000, md5 = true }: SqsOptions = {},
): SQSClient =>
  new SQSClient({
    region,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
    ...(!md5 && { md5: false as const }),
    maxAttempts: 3,
    requestHandler: {
      ...{ requestTimeout: requestMs, throwOnRequestTimeout: true }, // Otherwise it is only logged
      ...{ socketTimeout: requestMs, connectionTimeout: 5_000 },
    },
  })

/** Errors by which SQS says that this process may not ask: asking again does not help. */
const denials =
  /^(AccessDenied(Exception)?|InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidSignatureException|InvalidAccessKeyId|MissingAuthenticationToken|OptInRequired|InvalidSecurity|CredentialsProviderError|KmsAccessDenied|InvalidAddress)$/

/** An error of a request as one of Tally's: DENIED, or UNREACHABLE for all that may pass. */
export function sqsError(error: unknown): TallyError {
  if (isTallyError(error)) return error
  const name = error instanceof Error ? error.name : ''
  const message = describeError(error)
  if (denials.test(name))
    return new TallyError(
      'DENIED',
      `Amazon SQS refuses access (${name}): correct TALLY_SQS_ACCESS_KEY_ID, TALLY_SQS_SECRET_ACCESS_KEY, TALLY_SQS_REGION and the permissions, then restart`,
      { cause: error },
    )
  if (/QueueDoesNotExist|NonExistentQueue/.test(name))
    return new TallyError('UNREACHABLE', 'Amazon SQS has no such queue: create it or correct its name', {
      cause: error,
    })
  return new TallyError('UNREACHABLE', `Amazon SQS does not answer: ${message}`, { cause: error })
}
