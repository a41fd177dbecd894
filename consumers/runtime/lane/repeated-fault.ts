import { describeError } from '../../../infra/errors.ts'
import { isTransient } from '../../../infra/postgres/postgres.ts'
import { signatureOf } from '../batch/failure-breaker.ts'

/** Times a fault must come back before one of the inputs is suspected. */
const enough = 3

/** Remembers whether a lane keeps failing in one way: then waiting does not heal it, and an input may be at fault. */
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
