import type { ParkedInput } from './model.ts'

export interface RetryPolicy {
  /** Attempts the lane's owner makes by itself after the first; then the event waits for a person. */
  readonly retryLimit: number
  /** Wait before the first of them; each further wait is five times as long. */
  readonly retryFirstMs: number
  /** Rows a lane may have parked. */
  readonly parkedLimit: number
}

const longestWaitMs = 600_000

/** Trying again by itself could only do harm, or the same: a person must look. */
const forPersons: ReadonlySet<ParkedInput['reason']> = new Set(['KILLED_PROCESS', 'MISROUTED'])

/**
 * How long to wait after the given attempt, milliseconds, with a little jitter; undefined: a person decides, or it only
 * waits for its key.
 */
export function retryDelayMs(
  reason: ParkedInput['reason'],
  attempts: number,
  { retryLimit, retryFirstMs }: RetryPolicy,
): number | undefined {
  if (reason === 'BEHIND' || forPersons.has(reason) || attempts > retryLimit) return undefined
  return Math.min(longestWaitMs, retryFirstMs * 5 ** (attempts - 1)) * (0.9 + Math.random() / 5)
}
