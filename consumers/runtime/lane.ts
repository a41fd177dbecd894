import { setTimeout as delay } from 'node:timers/promises'
import { describeError, isTallyError } from '../../infra/errors.ts'
import { isDataError } from '../../infra/postgres.ts'
import type { Logger } from '../../infra/telemetry.ts'
import type { LaneFeed } from '../../producers/outbox/lane-feed.ts'
import type { Relay } from '../../producers/outbox/relay.ts'
import type { Caller } from './caller.ts'
import type { AnswerInput, Batch, TimerInput } from './input.ts'
import type { LaneCalls } from './lane-calls.ts'
import type { TopicStart } from './ledger.ts'
import { openLedger, raiseEpoch } from './ledger.ts'
import { splitBatch } from './split-batch.ts'
import type { TakeContext } from './take-batch.ts'
import { takeBatch } from './take-batch.ts'

/**
 * - claiming  waits for the database to say that the lane is ours, from the start or after a failure
 * - live      ours: inputs may be taken
 * - fenced    someone else took it: nothing more is tried until the group confirms that it is ours
 * - stopped   cannot go on without a person (see `LANE_STOPPED`)
 * - dropped   not assigned to this process any more
 */
export type LanePhase = 'claiming' | 'live' | 'fenced' | 'stopped' | 'dropped'

export interface LaneContext<State, Row> extends TakeContext<State, Row> {
  relay: Relay
  caller: Caller
  owner: string
  log: Logger
  /** What the broker says of the lane's topics. */
  topicStarts(lane: number): Promise<readonly TopicStart[]>
  /** Fetch again, from `lane.position` on. */
  readOn(lane: number): void
  /** Fetch no more until told to read on. */
  pauseFetching(lane: number): void
}

/** Answers and timers taken in one transaction. */
const inputsPerBatch = 500

/**
 * One lane in this process. Whatever fails on the way, recovery is the same as taking the lane over: raise the epoch,
 * read the ledger, publish what the outbox holds, make the calls the table holds.
 */
export class Lane<State, Row> {
  readonly number: number
  phase: LanePhase = 'claiming'
  epoch = 0
  /** When it was fenced, by `performance.now()`. */
  fencedAt = 0
  /** Settles when the first claim ends, however it ends. */
  readonly claimed: Promise<void>
  private readonly context: LaneContext<State, Row>
  private positions = new Map<string, number>()
  private feed: LaneFeed | undefined
  private calls: LaneCalls | undefined
  private answers: AnswerInput[] = []
  private tail: Promise<unknown> = Promise.resolve()
  private failures = 0

  constructor(number: number, context: LaneContext<State, Row>) {
    this.number = number
    this.context = context
    this.claimed = this.claim()
  }

  /** Next offset of a topic (without namespace); undefined until claimed. */
  position(topic: string): number | undefined {
    return this.positions.get(topic)
  }

  /** Runs work of this lane one at a time, in order of arrival. */
  serially<T>(work: () => Promise<T>): Promise<T> {
    const run = this.tail.then(work, work)
    this.tail = run.catch(() => {})
    return run
  }

  /**
   * Reads a batch and takes it; call it within `serially`.
   * @returns false if the lane could not take it: then it is no longer live and the batch will be read again
   */
  async take(read: () => Promise<Batch>): Promise<boolean> {
    if (this.phase !== 'live') return false
    try {
      const batch = await this.readPatiently(read)
      if (!batch) return false
      await this.takeOrSplit(batch)
      this.failures = 0
      return true
    } catch (error) {
      if (isTallyError(error, 'LANE_STOPPED')) this.halt(error.message)
      else this.setAside(error)
      return false
    }
  }

  /** Timers that have come due. */
  fire(timers: readonly TimerInput[]): Promise<boolean> {
    return this.serially(() => this.take(async () => ({ source: 'timer', inputs: timers })))
  }

  /** Records the lane cannot go on past: a person must decide. */
  halt(reason: string): void {
    if (this.phase === 'dropped') return
    this.phase = 'stopped'
    this.release()
    this.context.log.error({ lane: this.number, epoch: this.epoch, reason }, 'lane stopped')
    this.context.pauseFetching(this.number)
  }

  drop(): void {
    this.phase = 'dropped'
    this.release()
  }

  /** Resolves when nothing of this lane is under way. */
  idle(): Promise<unknown> {
    return this.tail
  }

  /** What reading needs may be away (the registry): the lane stays ours, keeps publishing and calling, and reads again later. */
  private async readPatiently(read: () => Promise<Batch>): Promise<Batch | undefined> {
    try {
      return await read()
    } catch (error) {
      if (!isTallyError(error, 'UNREACHABLE')) throw error
      const { context, number: lane, epoch } = this
      context.log.warn({ lane, epoch, error: describeError(error) }, 'lane waits')
      context.pauseFetching(lane)
      void this.backOff().then(() => {
        if (this.phase === 'live' && this.epoch === epoch) context.readOn(lane)
      })
      return undefined
    }
  }

  private backOff(): Promise<void> {
    return delay(Math.min(2_000, 50 * 2 ** this.failures++) * (0.5 + Math.random() / 2))
  }

  private async takeOrSplit(batch: Batch): Promise<void> {
    try {
      await this.takeWhole(batch)
    } catch (error) {
      // The database refuses what one of the events leads to: find that one and park it, let the others through
      if (!isDataError(error) || batch.inputs.length === 0) throw error
      if (batch.inputs.length === 1) return this.takeWhole(batch, describeError(error))
      for (const part of splitBatch(batch)) await this.takeOrSplit(part)
    }
  }

  private async takeWhole(batch: Batch, refusal?: string): Promise<void> {
    const taken = await takeBatch(this.context, { lane: this.number, epoch: this.epoch }, batch, refusal)
    if (batch.source === 'record') this.positions.set(batch.move.topic, batch.move.to)
    if (batch.source === 'answer') for (const { id } of batch.inputs) this.calls?.done(id)
    if (taken.parked > 0) this.context.log.error({ lane: this.number, parked: taken.parked }, 'events parked')
    this.feed?.offer(taken.publish)
    this.calls?.offer(taken.calls)
  }

  private answered(answer: AnswerInput): void {
    this.answers.push(answer)
    if (this.answers.length > 1) return // Whoever came first takes all that is there when its turn comes
    void this.serially(async () => {
      while (this.answers.length > 0 && this.phase === 'live') {
        const inputs = this.answers.splice(0, inputsPerBatch)
        await this.take(async () => ({ source: 'answer', inputs }))
      }
    })
  }

  /** The lane may have lost its connection, its transaction or its ownership: find out by claiming it again. */
  private setAside(error: unknown): void {
    if (this.phase !== 'live') return
    const { context, number: lane, epoch } = this
    this.release()
    context.log.warn({ lane, epoch, error: describeError(error) }, 'lane set aside')
    if (isTallyError(error, 'FENCED')) this.fence()
    else {
      this.phase = 'claiming'
      void this.claim(epoch)
    }
    context.pauseFetching(lane)
  }

  private fence(): void {
    this.phase = 'fenced'
    this.fencedAt = performance.now()
  }

  private async claim(heldEpoch?: number): Promise<void> {
    const { context, number: lane } = this
    for (let first = heldEpoch === undefined; this.phase === 'claiming'; first = false) {
      try {
        if (!first) await this.backOff()
        const starts = await context.topicStarts(lane)
        if (this.phase !== 'claiming') return
        const epoch = await raiseEpoch(context.pool, lane, context.owner, heldEpoch)
        heldEpoch = epoch // A failure from here on: only if nobody else came since
        if (this.phase !== 'claiming') return
        const positions = await openLedger(context.pool, { lane, epoch }, starts)
        if (this.phase !== 'claiming') return
        this.goLive(epoch, positions)
      } catch (error) {
        if (this.phase !== 'claiming') return
        if (isTallyError(error, 'FENCED')) this.fence()
        if (isTallyError(error, 'LANE_STOPPED')) this.halt(error.message)
        context.log.warn({ lane, error: describeError(error) }, 'lane not claimed')
      }
    }
  }

  private goLive(epoch: number, positions: Map<string, number>): void {
    const { context, number: lane } = this
    this.epoch = epoch
    this.positions = positions
    this.answers = []
    this.feed = context.relay.open(lane)
    this.calls = context.caller.open({ lane, epoch }, (answer) => this.answered(answer))
    this.phase = 'live'
    context.log.info({ lane, epoch }, 'lane claimed')
    context.readOn(lane)
  }

  private release(): void {
    this.feed?.close()
    this.calls?.close()
  }
}
