import type { ParkedInput } from './model.ts'

export interface RetryPolicy {
  /** Maximum number of retries by the lane's owner; then the event waits for an operator. */
  readonly retryLimit: number
  /** The wait before the first retry, milliseconds; each further wait is five times as long. */
  readonly retryFirstMs: number
  /** Maximum number of parked events of a lane. */
  readonly parkedLimit: number
}

const longestWaitMs = 600_000

/** Events with these reasons wait for an operator, because a retry would fail in the same way or do harm. */
const forPersons: ReadonlySet<ParkedInput['reason']> = new Set(['KILLED_PROCESS', 'MISROUTED'])

/**
 * The wait after an attempt, milliseconds, with a little jitter; undefined if the event waits for an operator or for
 * the head of its key.
 */
export function retryDelayMs(
  reason: ParkedInput['reason'],
  attempts: number,
  { retryLimit, retryFirstMs }: RetryPolicy,
): number | undefined {
  if (reason === 'BEHIND' || forPersons.has(reason) || attempts > retryLimit) return undefined
  return Math.min(longestWaitMs, retryFirstMs * 5 ** (attempts - 1)) * (0.9 + Math.random() / 5)
}
