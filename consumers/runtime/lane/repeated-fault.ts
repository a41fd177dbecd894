import { describeError } from '../../../infra/errors.ts'
import { isTransient } from '../../../infra/postgres/sqlstates.ts'
import { signatureOf } from '../batch/failure-breaker.ts'

/** Times a fault must recur before an input is suspected. */
const enough = 3

/** Counts how often a lane fails in the same way: an input may be the cause of a fault that keeps recurring. */
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
