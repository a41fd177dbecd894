import { setTimeout as delay } from 'node:timers/promises'
import { describeError, isTallyError } from '../../../infra/errors.ts'
import { isDataError } from '../../../infra/postgres/postgres.ts'
import { takingTurns } from '../../../infra/taking-turns.ts'
import type { LaneFeed } from '../../../producers/outbox/lane-feed.ts'
import { AttemptGuard } from './attempt-guard.ts'
import type { Refusal } from '../batch/decide.ts'
import type { Batch } from '../model.ts'
import { claimLane } from './claim-lane.ts'
import type { Claim } from './claim-lane.ts'
import { LaneAnswers } from './lane-answers.ts'
import { waitsFor } from './lane-context.ts'
import type { LaneContext, LanePhase, Request } from './lane-context.ts'
import type { LaneCalls } from './lane-calls.ts'
import type { LaneCondition } from '../tables/lane-state.ts'
import { ConditionNotes } from '../tables/lane-state.ts'
import type { Position } from '../tables/ledger.ts'
import { RepeatedFault } from './repeated-fault.ts'
import { takeOrSplit } from '../batch/split-batch.ts'

const killer = 'the process ended each time it handled this'

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
  /** Runs work of this lane one at a time, in order of arrival. */
  readonly serially = takingTurns()
  private readonly context: LaneContext<State, Row>
  private positions = new Map<string, Position>()
  private feed: LaneFeed | undefined
  private calls: LaneCalls | undefined
  private guard: AttemptGuard | undefined
  private readonly fault = new RepeatedFault()
  private answers: LaneAnswers | undefined
  private failures = 0
  private paused: string | undefined
  private readonly notes: ConditionNotes

  constructor(number: number, context: LaneContext<State, Row>) {
    this.number = number
    this.context = context
    this.notes = new ConditionNotes(context.pool)
    this.claimed = this.claim()
  }

  /** Next offset of a topic (without namespace); undefined until claimed. */
  position(topic: string): number | undefined {
    return this.positions.get(topic)?.offset
  }

  /** Where records of a topic are taken up to: a replay's end, behind which the lane goes on elsewhere. */
  end(topic: string): number {
    return this.positions.get(topic)?.again?.until ?? Number.POSITIVE_INFINITY
  }

  /** Whether records, timers and parked events are taken: not while a person wants the lane to stand still. */
  get taking(): boolean {
    return this.phase === 'live' && this.paused === undefined
  }

  /** How many inputs may be taken together. */
  get limit(): number {
    return this.guard?.limit ?? 1
  }

  /**
   * Reads a batch and takes it; call it within `serially`.
   * @returns false if the lane could not take it: then it will be asked to again
   */
  async take(request: Request): Promise<boolean> {
    const { guard } = this
    if (this.phase !== 'live' || !guard) return false
    let again = false
    try {
      await guard.watch(request.name, request.inputs, async (innocent) => {
        const batch = await request.read(innocent ? undefined : killer)
        if (innocent)
          await takeOrSplit(batch, this.takeWhole, (error) => isDataError(error) || this.fault.isStubborn(error))
        else await this.takeWhole(batch, { reason: 'KILLED_PROCESS', error: killer })
        again = batch.source === 'record' && this.end(batch.move.topic) === batch.move.to
      })
      this.failures = 0
      this.fault.clear()
      this.noteStanding()
      if (again) this.claimAgain() // To go on behind what a replay had it take
      return true
    } catch (error) {
      if (isTallyError(error, 'LANE_STOPPED')) this.halt(error.message)
      else if (isTallyError(error) && waitsFor.has(error.code)) this.wait(error.message)
      else this.setAside(error)
      return false
    }
  }

  /** A person wants the lane to stand still, or (undefined) to go on. Answers to calls already made are still taken. */
  pause(reason: string | undefined): void {
    if (this.paused === reason) return
    const resumed = this.paused !== undefined && reason === undefined
    this.paused = reason
    this.context.log.info({ lane: this.number, reason }, resumed ? 'lane resumed' : 'lane paused')
    if (this.phase !== 'live') return
    if (resumed) this.context.readOn(this.number)
    else this.context.pauseFetching(this.number)
    void this.serially(async () => this.noteStanding()) // True only when what is under way has ended
  }

  /** Someone has raised the epoch: another replica, or a person who had the lane stand elsewhere, which may end a stop. */
  overtaken(epoch: number): void {
    if (epoch > this.epoch && (this.phase === 'live' || this.phase === 'stopped')) this.fence()
  }

  /** Records the lane cannot go on past: a person must decide. */
  halt(reason: string): void {
    if (this.phase === 'dropped') return
    this.phase = 'stopped'
    this.release()
    this.context.log.error({ lane: this.number, epoch: this.epoch, reason }, 'lane stopped')
    this.note('stopped', reason)
    this.context.pauseFetching(this.number)
  }

  async drop(): Promise<void> {
    const held = this.phase === 'live'
    this.phase = 'dropped'
    this.release()
    if (held) await this.guard?.released().catch(() => {}) // Failing only makes the next owner careful
  }

  /** Resolves when nothing of this lane is under way. */
  idle(): Promise<unknown> {
    return this.serially(async () => {})
  }

  /** What is needed is away, or a person is: the lane stays ours, keeps publishing and calling, and reads again later. */
  private wait(reason: string): void {
    const { context, number: lane, epoch } = this
    if (this.note('waiting', reason)) context.log.error({ lane, epoch, reason }, 'lane waits')
    context.pauseFetching(lane)
    void this.backOff().then(() => {
      if (this.taking && this.epoch === epoch) context.readOn(lane)
    })
  }

  private backOff(): Promise<void> {
    return delay(Math.min(2_000, 50 * 2 ** this.failures++) * (0.5 + Math.random() / 2))
  }

  private readonly takeWhole = async (batch: Batch, refusal?: Refusal): Promise<void> => {
    const own = { lane: this.number, epoch: this.epoch }
    const careful = this.limit < Number.POSITIVE_INFINITY
    const taken = await this.context.groups.take({ own, batch, refusal }, careful)
    if (batch.source === 'record')
      this.positions.set(batch.move.topic, { ...this.positions.get(batch.move.topic), offset: batch.move.to })
    if (batch.source === 'answer') for (const { id } of batch.inputs) this.calls?.done(id)
    if (taken.parked > 0 && batch.source !== 'parked') {
      this.context.log.error({ lane: this.number, parked: taken.parked }, 'events parked')
    }
    this.feed?.offer(taken.publish)
    this.calls?.offer(taken.calls)
  }

  /** The lane may have lost its connection, its transaction or its ownership: find out by claiming it again. */
  private setAside(error: unknown): void {
    if (this.phase !== 'live') return
    this.fault.saw(error)
    this.context.log.warn({ lane: this.number, epoch: this.epoch, error: describeError(error) }, 'lane set aside')
    if (isTallyError(error, 'FENCED')) this.fence()
    else this.claimAgain()
  }

  private claimAgain(): void {
    if (this.phase !== 'live') return
    this.release()
    this.phase = 'claiming'
    this.context.pauseFetching(this.number)
    void this.claim(this.epoch)
  }

  private fence(): void {
    this.release()
    this.phase = 'fenced'
    this.fencedAt = performance.now()
    this.context.pauseFetching(this.number)
  }

  private async claim(heldEpoch?: number): Promise<void> {
    const { context, number: lane } = this
    const options = { heldEpoch, counts: heldEpoch === undefined, wanted: () => this.phase === 'claiming' }
    for (let first = options.counts; this.phase === 'claiming'; first = false) {
      try {
        if (!first) await this.backOff()
        const claim = await claimLane(context, lane, options)
        if (claim && this.phase === 'claiming') this.goLive(claim)
      } catch (error) {
        if (this.phase !== 'claiming') return
        this.epoch = options.heldEpoch ?? this.epoch
        if (isTallyError(error, 'FENCED')) this.fence()
        if (isTallyError(error, 'LANE_STOPPED')) this.halt(error.message)
        context.log.warn({ lane, error: describeError(error) }, 'lane not claimed')
      }
    }
  }

  private goLive({ epoch, positions, begun }: Claim): void {
    const { context, number: lane } = this
    this.epoch = epoch
    this.positions = positions
    this.paused = begun.paused
    this.guard = new AttemptGuard(context, { lane, epoch }, begun)
    this.notes.begun()
    const answers = new LaneAnswers({
      take: (request) => this.take(request),
      serially: (work) => this.serially(work),
      limit: () => this.limit,
      backOff: () => this.backOff(),
    })
    this.answers = answers
    this.feed = context.relay.open(lane)
    this.calls = context.caller.open({ lane, epoch }, (answer) => answers.push(answer))
    this.phase = 'live'
    context.log.info({ lane, epoch }, 'lane claimed')
    this.noteStanding()
    if (this.taking) context.readOn(lane)
  }

  private release(): void {
    this.feed?.close()
    this.calls?.close()
    this.answers?.close()
  }

  private noteStanding(): void {
    if (this.phase === 'live') this.note(this.paused === undefined ? 'live' : 'paused', this.paused)
  }

  private note(condition: LaneCondition, reason?: string): boolean {
    return this.notes.note({ lane: this.number, epoch: this.epoch }, condition, reason)
  }
}
