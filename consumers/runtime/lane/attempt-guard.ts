import type { Pool } from '../../../infra/postgres/postgres.ts'
import { clearStarts, markSuspect } from '../tables/lane-state.ts'
import type { Begun } from '../tables/lane-state.ts'
import type { Ownership } from '../tables/ledger.ts'

const unlimited = Number.POSITIVE_INFINITY
/** From here on a batch is as large as it comes. */
const trustedInputs = 512

export interface AttemptGuardOptions {
  pool: Pool
  /** One at a time in this process. */
  inTurn<T>(work: () => Promise<T>): Promise<T>
}

/**
 * Finds the input that kills the process. Ordinarily it costs nothing but one statement after a claim. After a second
 * claim without a batch that ended in between, batches are small and marked in the database before they are handled; what
 * was marked when the process died is taken apart one by one, and an input that was marked alone twice is the culprit: with
 * the batch it was in before, the process has died of it three times.
 */
export class AttemptGuard {
  private readonly pool: Pool
  private readonly own: Ownership
  private counted: boolean
  /** Inputs the next batch may have. */
  private size: number
  /** Inputs still to be taken one by one. */
  private alone: number
  private readonly culprit: string | undefined
  private readonly inTurn: AttemptGuardOptions['inTurn']

  constructor({ pool, inTurn }: AttemptGuardOptions, own: Ownership, { starts, suspect }: Begun) {
    this.pool = pool
    this.inTurn = inTurn
    this.own = own
    this.counted = starts > 0
    const careful = starts > 1
    this.size = careful ? 1 : unlimited
    this.alone = careful ? (suspect?.inputs ?? 0) : 0
    this.culprit = careful && suspect?.inputs === 1 && suspect.starts > 1 ? suspect.name : undefined
  }

  /** How many inputs may be taken together now. */
  get limit(): number {
    return this.alone > 0 ? 1 : this.size
  }

  /**
   * Handles a batch under its eyes. Careful lanes take turns: had several of them a mark when the process dies, all but one
   * would be suspected for nothing.
   * @param name of its first input: the same whenever that input comes again
   * @param handle is told false if the process died of that input: then it must not even be decoded
   */
  async watch(name: string, inputs: number, handle: (innocent: boolean) => Promise<void>): Promise<void> {
    const attempt = async () => {
      await handle(await this.begin(name, inputs))
      await this.ended(inputs)
    }
    await (this.limit === unlimited ? attempt() : this.inTurn(attempt))
  }

  /**
   * Call before a batch is read or handled.
   * @param name of its first input: the same whenever that input comes again
   * @returns false if the process died of it
   */
  async begin(name: string, inputs: number): Promise<boolean> {
    if (this.limit === unlimited) return true
    if (name === this.culprit) return false
    await markSuspect(this.pool, this.own, name, inputs)
    return true
  }

  /** The batch has ended, one way or another. */
  async ended(inputs: number): Promise<void> {
    if (!this.counted) return
    if (this.alone > 0) this.alone -= inputs
    else this.size = this.size * 2 >= trustedInputs ? unlimited : this.size * 2
    if (this.size < unlimited) return
    this.counted = false
    await clearStarts(this.pool, this.own)
  }

  /** The lane is given up in order. */
  async released(): Promise<void> {
    if (this.counted) await clearStarts(this.pool, this.own)
  }
}
