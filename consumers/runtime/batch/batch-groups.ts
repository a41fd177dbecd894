import { isTallyError } from '../../../infra/errors.ts'
import type { Pace } from '../../../infra/linger/pace.ts'
import { transactionsAtOnce } from '../../../infra/postgres/pool.ts'
import { atMost } from '../../../infra/promises.ts'
import { hasSqlState, isTransient } from '../../../infra/postgres/sqlstates.ts'
import { processBatches } from './process-batch.ts'
import type { ProcessContext } from './apply-batch.ts'
import type { Processed } from './process-batch.ts'
import { sourceOf } from './process-request.ts'
import type { LaneBatch } from '../model.ts'

/** A group of this many inputs gets a transaction of its own and does not wait for the one in progress. */
const plenty = 500
/** A group that took longer was too large for this consumer, because no lane should wait that long for others. */
const tooLongMs = 1_000

interface Waiting {
  readonly work: LaneBatch
  readonly settle: PromiseWithResolvers<Processed>
}

/**
 * Processes batches of several lanes of this process in one transaction, because a transaction costs more than a small
 * batch. It groups batches that arrive together or while another transaction is in progress, and where processors are
 * scarce those that arrive within the time that its pace sets. A lane may have several there, of different sources, but
 * has one transaction in progress at a time.
 * If the transaction fails, each batch is processed in a transaction of its own, so that each lane sees only its own
 * error.
 */
export class BatchGroups<State, Row> {
  private readonly apply: (work: readonly LaneBatch[]) => Promise<Processed[]>
  /** Maximum number of transactions in progress; further batches wait here and not for a connection. */
  private readonly atOnce: number
  private readonly inTransaction: ReturnType<typeof atMost>
  private waiting: Waiting[] = []
  /**
   * Sources of lanes (`3/orders`) whose last batch failed are processed alone, so that one that keeps failing does not
   * delay the others.
   */
  private readonly apart = new Set<string>()
  /** Lanes with a transaction in progress, and its end. */
  private readonly inProgress = new Map<number, Promise<unknown>>()
  private underWay = 0
  private timer: NodeJS.Timeout | undefined
  private readonly pace: Pace | undefined
  /** Number of inputs at which a group is closed. */
  private enough = plenty
  private called = false

  /**
   * @param pace when transactions begin; @default at once
   * @param apply processes batches in one transaction; @default `processBatches`
   */
  constructor(
    context: ProcessContext<State, Row>,
    pace?: Pace,
    apply = (work: readonly LaneBatch[]): Promise<Processed[]> => processBatches(context, work),
  ) {
    this.pace = pace
    this.apply = apply
    this.atOnce = transactionsAtOnce(context.pool)
    this.inTransaction = atMost(this.atOnce)
  }

  /**
   * @param alone in a transaction of its own
   * @throws the errors of `processBatches` for this batch
   */
  async process(work: LaneBatch, alone = false): Promise<Processed> {
    if (alone || this.apart.has(placeOf(work)) || work.refusal || work.batch.source === 'parked')
      return this.processAlone(work)
    const settle = Promise.withResolvers<Processed>()
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
      if (this.underWay >= this.atOnce) return
      const group = this.nextGroup()
      if (group.length === 0 || (this.underWay > 0 && inputsOf(group) < this.enough)) return
      const waitMs = this.underWay === 0 ? this.pace?.waitMs(inputsOf(group)) : 0
      if (waitMs) return this.beginIn(waitMs)
      const taken = new Set(group)
      this.waiting = this.waiting.filter((each) => !taken.has(each))
      this.underWay++
      const ended = this.processGroup(group).finally(() => this.underWay--)
      this.occupy(
        group.map(({ work }) => work.own.lane),
        ended,
      )
    }
  }

  private beginIn(ms: number): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      this.begin()
    }, ms)
  }

  private nextGroup(): Waiting[] {
    let inputs = 0
    const ready = this.waiting.filter(({ work }) => !this.inProgress.has(work.own.lane))
    const last = ready.findIndex(({ work }) => (inputs += work.batch.inputs.length) >= this.enough)
    return last === -1 ? ready : ready.slice(0, last + 1)
  }

  private async processGroup(group: readonly Waiting[]): Promise<void> {
    let startedAt = 0
    try {
      const processed = await this.inTransaction(() => {
        startedAt = performance.now()
        const apply = () => this.apply(group.map(({ work }) => work))
        return this.pace ? this.pace.cycle(inputsOf(group), apply) : apply()
      })
      const tooLong = performance.now() - startedAt > tooLongMs
      this.enough = tooLong ? Math.max(1, inputsOf(group) / 2) : Math.min(plenty, this.enough * 1.1)
      for (const [index, { settle }] of group.entries()) settle.resolve(processed[index] as Processed)
    } catch (error) {
      const again = group.length > 1 && leftNothing(error)
      for (const { work, settle } of group) {
        this.apart.add(placeOf(work))
        settle.resolve(again ? this.processAlone(work) : Promise.reject(error))
      }
    }
  }

  private async processAlone(work: LaneBatch): Promise<Processed> {
    const { lane } = work.own
    this.apart.add(placeOf(work))
    const turn = this.inProgress.get(lane) ?? Promise.resolve()
    const applied = turn.then(() => this.inTransaction(() => this.apply([work])))
    this.occupy([lane], applied)
    const [processed] = await applied
    this.apart.delete(placeOf(work))
    return processed as Processed
  }

  /** Lets nothing else of these lanes begin before this has ended. */
  private occupy(lanes: readonly number[], work: Promise<unknown>): void {
    const ended = work
      .catch(() => {})
      .then(() => {
        for (const lane of lanes) if (this.inProgress.get(lane) === ended) this.inProgress.delete(lane)
        this.begin()
      })
    for (const lane of lanes) this.inProgress.set(lane, ended)
  }
}

/**
 * Whether the transaction was certainly rolled back. After a lost connection it may have been committed: a second
 * attempt would take a committed answer for a duplicate and not publish its events. So every lane claims itself again
 * instead.
 */
const leftNothing = (error: unknown): boolean =>
  isTallyError(error) || !isTransient(error) || hasSqlState(error, 'lockNotAvailable')

const placeOf = ({ own, batch }: LaneBatch): string => `${own.lane}/${sourceOf(batch)}`

const inputsOf = (group: readonly Waiting[]): number =>
  group.reduce((sum, { work }) => sum + work.batch.inputs.length, 0)
