import { TallyError } from '../../../infra/errors.ts'
import { settlesWithin } from '../../../infra/promises.ts'

/** How long a command waits for a server that may be frozen, milliseconds. */
export const patienceMs = 3_000

/**
 * An answer, or the certainty that none came in time: a frozen server accepts connections and then says nothing.
 * @throws TallyError UNREACHABLE; what the work throws
 */
export async function answerWithin<T>(server: string, work: Promise<T>, ms: number = patienceMs): Promise<T> {
  if (await settlesWithin(work, ms)) return work
  throw new TallyError('UNREACHABLE', `${server} does not answer within ${ms / 1_000} s`)
}
