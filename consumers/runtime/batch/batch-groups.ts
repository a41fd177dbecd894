import { isTallyError } from '../../../infra/errors.ts'
import { isTransient } from '../../../infra/postgres/postgres.ts'
import { takeBatches } from './take-batch.ts'
import type { LaneBatch, TakeContext, Taken } from './take-batch.ts'

/** Inputs that make a transaction worth its price: a group of so many does not wait for the one under way. */
const plenty = 500
/** A group that took longer was too large for this consumer: a lane should not wait so long for others. */
const tooLongMs = 1_000

interface Waiting {
  readonly work: LaneBatch
  readonly settle: PromiseWithResolvers<Taken>
}

/**
 * Takes the batches of this process's lanes in common transactions: what has been fetched together, and what has come
 * while one was under way; never waiting for more. With small batches a transaction costs more than what is in it. When one
 * fails, its batches are taken one by one, and each lane sees what its own leads to.
 */
export class BatchGroups<State, Row> {
  private readonly context: TakeContext<State, Row>
  private readonly waiting: Waiting[] = []
  /** Lanes whose last batch failed: what is stuck must not hold up the others time and again. */
  private readonly apart = new Set<number>()
  private underWay = 0
  /** Inputs from which on a group grows no more. */
  private enough = plenty
  private called = false

  constructor(context: TakeContext<State, Row>) {
    this.context = context
  }

  /**
   * @param alone in a transaction of its own
   * @throws what `takeBatches` throws for this batch
   */
  async take(work: LaneBatch, alone = false): Promise<Taken> {
    if (alone || this.apart.has(work.own.lane) || work.refusal || work.batch.source === 'parked')
      return this.takeAlone(work)
    const settle = Promise.withResolvers<Taken>()
    this.waiting.push({ work, settle })
    if (!this.called) {
      this.called = true
      setImmediate(() => {
        this.called = false
        this.begin()
      })
    }
    return settle.promise
  }

  private begin(): void {
    for (;;) {
      const group = this.nextGroup()
      if (group.length === 0 || (this.underWay > 0 && inputsOf(group) < this.enough)) return
      this.waiting.splice(0, group.length)
      this.underWay++
      void this.takeGroup(group).finally(() => {
        this.underWay--
        this.begin()
      })
    }
  }

  private nextGroup(): Waiting[] {
    let inputs = 0
    const last = this.waiting.findIndex(({ work }) => (inputs += work.batch.inputs.length) >= this.enough)
    return last === -1 ? [...this.waiting] : this.waiting.slice(0, last + 1)
  }

  private async takeGroup(group: readonly Waiting[]): Promise<void> {
    const startedAt = performance.now()
    try {
      const taken = await takeBatches(
        this.context,
        group.map(({ work }) => work),
      )
      const tooLong = performance.now() - startedAt > tooLongMs
      this.enough = tooLong ? Math.max(1, inputsOf(group) / 2) : Math.min(plenty, this.enough * 1.1)
      for (const [index, { settle }] of group.entries()) settle.resolve(taken[index] as Taken)
    } catch (error) {
      const again = group.length > 1 && leftNothing(error)
      for (const { work, settle } of group) {
        this.apart.add(work.own.lane)
        settle.resolve(again ? this.takeAlone(work) : Promise.reject(error))
      }
    }
  }

  private async takeAlone(work: LaneBatch): Promise<Taken> {
    const { lane } = work.own
    this.apart.add(lane)
    const [taken] = await takeBatches(this.context, [work])
    this.apart.delete(lane)
    return taken as Taken
  }
}

/**
 * Whether the transaction was rolled back for sure. A lost connection does not tell: taken again, an answer that was committed
 * would look like one that came twice, and what it led to would stay where it is. So every lane claims itself again.
 */
const leftNothing = (error: unknown): boolean =>
  isTallyError(error) || !isTransient(error) || (error as { code?: unknown }).code === lockNotAvailable

const lockNotAvailable = '55P03'

const inputsOf = (group: readonly Waiting[]): number =>
  group.reduce((sum, { work }) => sum + work.batch.inputs.length, 0)
