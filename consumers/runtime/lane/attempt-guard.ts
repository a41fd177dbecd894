import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Request, RequestProcessor } from '../batch/process-request.ts'
import type { RequestOutcome } from '../batch/split-batch.ts'
import type { Ownership } from '../model.ts'
import { clearStarts, markSuspect } from '../tables/lane-state.ts'
import type { Begun } from '../tables/lane-state.ts'

const unlimited = Number.POSITIVE_INFINITY
/** Once the limit reaches this size, batches are no longer limited. */
const trustedInputs = 512
const killer = 'the process died each time it handled this event'

export interface AttemptGuardOptions {
  pool: Pool
  /** Runs the work of this process's careful lanes one at a time. */
  inTurn<T>(work: () => Promise<T>): Promise<T>
  /** Processes requests that the guard admits. */
  processor: Pick<RequestProcessor, 'process'>
}

/**
 * Finds the input that kills the process. Normally it costs one statement per claim. If a lane is claimed a second time
 * and no batch was completed in between, the lane is careful: its batches are small, and each is marked in the database
 * before it is processed. The inputs of a batch that was marked when the process died are then processed one by one. An
 * input that was marked alone twice is the culprit: including the batch that contained it, the process has died of it
 * three times.
 */
export class AttemptGuard {
  private readonly options: AttemptGuardOptions
  private readonly own: Ownership
  private counted: boolean
  /** Maximum number of inputs of the next batch. */
  private size: number
  /** Number of inputs still to be processed one by one. */
  private alone: number
  private readonly culprit: string | undefined

  constructor(options: AttemptGuardOptions, own: Ownership, { starts, suspect }: Begun) {
    this.options = options
    this.own = own
    this.counted = starts > 0
    const careful = starts > 1
    this.size = careful ? 1 : unlimited
    this.alone = careful ? (suspect?.inputs ?? 0) : 0
    this.culprit = careful && suspect?.inputs === 1 && suspect.starts > 1 ? suspect.name : undefined
  }

  /** Maximum number of inputs of the next request. */
  get limit(): number {
    return this.alone > 0 ? 1 : this.size
  }

  /**
   * Processes a request. Careful lanes take turns: if several had a mark when the process dies, all but one would be
   * suspected without reason.
   * @returns the parts that took effect and any error; never throws
   */
  async process(request: Request): Promise<RequestOutcome> {
    const attempt = async () => {
      const innocent = await this.begin(request.name, request.items.length)
      const alone = this.limit < unlimited
      const outcome = await this.options.processor.process(request, { alone, killer: innocent ? undefined : killer })
      if (outcome.failure) return outcome
      // The effects stay even if the mark cannot be cleared
      return this.ended(request.items.length).then(
        () => outcome,
        (error: unknown) => ({ ...outcome, failure: { error } }),
      )
    }
    const attempted = this.limit === unlimited ? attempt() : this.options.inTurn(attempt)
    return attempted.catch((error: unknown) => ({ done: [], failure: { error } }))
  }

  /**
   * Call before a batch is read or processed.
   * @param name of its first input; the same whenever that input is requested again
   * @returns false if the process died of that input, which must then not even be decoded
   */
  async begin(name: string, inputs: number): Promise<boolean> {
    if (this.limit === unlimited) return true
    if (name === this.culprit) return false
    await markSuspect(this.options.pool, this.own, name, inputs)
    return true
  }

  /** Call when a batch has been processed. */
  async ended(inputs: number): Promise<void> {
    if (!this.counted || inputs === 0) return // A gap without records proves nothing
    if (this.alone > 0) this.alone -= inputs
    else this.size = this.size * 2 >= trustedInputs ? unlimited : this.size * 2
    if (this.size < unlimited) return
    this.counted = false
    await clearStarts(this.options.pool, this.own)
  }

  /** Call when the lane is released in an orderly way. */
  async released(): Promise<void> {
    if (this.counted) await clearStarts(this.options.pool, this.own)
  }
}
