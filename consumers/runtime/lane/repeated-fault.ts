import { describeError } from '../../../infra/errors.ts'
import { isTransient } from '../../../infra/postgres/sqlstates.ts'
import { signatureOf } from '../batch/failure-breaker.ts'

/** Times a fault must recur before an input is suspected. */
const enough = 3

/** Counts how often a lane fails in the same way. A fault that keeps recurring does not go away with time: an input may be its cause. */
export class RepeatedFault {
  private last = ''
  private times = 0

  saw(error: unknown): void {
    const signature = signatureOf(describeError(error))
    this.times = signature === this.last ? this.times + 1 : 1
    this.last = signature
  }

  isStubborn(error: unknown): boolean {
    return this.times >= enough && !isTransient(error) && signatureOf(describeError(error)) === this.last
  }

  clear(): void {
    this.times = 0
  }
}
