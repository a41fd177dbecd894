import { TallyError } from '../../../infra/errors.ts'
import { settlesWithin } from '../../../infra/promises.ts'

/** How long a command waits for a server that may be frozen, milliseconds. */
export const patienceMs = 3_000

/**
 * Limits the wait for an answer, because a frozen server accepts connections and then sends nothing.
 * @throws TallyError UNREACHABLE if no answer arrives in time; errors of the work
 */
export async function answerWithin<T>(server: string, work: Promise<T>, ms: number = patienceMs): Promise<T> {
  if (await settlesWithin(work, ms)) return work
  throw new TallyError('UNREACHABLE', `${server} does not answer within ${ms / 1_000} s`)
}
