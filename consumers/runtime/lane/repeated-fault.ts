import { describeError } from '../../../infra/errors.ts'
import { isTransient } from '../../../infra/postgres/sqlstates.ts'
import { signatureOf } from '../batch/failure-breaker.ts'

/** Times a fault must recur before an input is suspected. */
const enough = 3

/**
 * Counts how often a lane fails in the same way: an input may be the cause of a fault that keeps recurring. What other
 * sources of inputs achieve meanwhile does not excuse it.
 */
export class RepeatedFault {
  private last = ''
  private source: string | undefined
  private times = 0

  /** @param source of the inputs, if it was inputs that failed */
  saw(error: unknown, source?: string): void {
    const signature = signatureOf(describeError(error))
    this.times = signature === this.last && this.isOf(source) ? this.times + 1 : 1
    this.source = source
    this.last = signature
  }

  /** @param source of the inputs that failed now */
  isStubborn(error: unknown, source: string): boolean {
    return (
      this.isOf(source) &&
      this.times >= enough &&
      !isTransient(error) &&
      signatureOf(describeError(error)) === this.last
    )
  }

  /**
   * Call when inputs of this source have taken effect.
   * @returns false if it is another source that failed last
   */
  clear(source: string): boolean {
    if (!this.isOf(source)) return false
    this.times = 0
    return true
  }

  private isOf(source: string | undefined): boolean {
    return this.source === undefined || this.source === source
  }
}
