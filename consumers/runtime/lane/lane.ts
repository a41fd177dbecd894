import { setTimeout as delay } from 'node:timers/promises'
import { describeError, isTallyError } from '../../../infra/errors.ts'
import type { TallyError } from '../../../infra/errors.ts'
import type { Processed } from '../batch/process-batch.ts'
import { sourceOf } from '../batch/process-request.ts'
import type { Request } from '../batch/process-request.ts'
import type { LaneCondition } from '../tables/lane-state.ts'
import { ConditionNotes } from '../tables/lane-state.ts'
import type { Position } from '../tables/ledger.ts'
import { claimLane } from './claim-lane.ts'
import type { Claim } from './claim-lane.ts'
import { waitsFor, withWayOn } from './lane-context.ts'
import type { LaneContext, LanePhase } from './lane-context.ts'
import { OwnedWork } from './owned-work.ts'
import { ParkingRoom } from './parking-room.ts'
import { RepeatedFault } from './repeated-fault.ts'
import { Turns } from '../turns.ts'
import { logFields } from '../process-span.ts'

/**
 * One lane in this process. Recovery from any failure is the same as a takeover: raise the epoch, read the ledger,
 * publish the rows of the outbox, make the calls in the table.
 */
export class Lane {
  readonly number: number
  phase: LanePhase = 'claiming'
  epoch = 0
  /** When it was fenced, by `performance.now()`. */
  fencedAt = 0
  /** Resolves when the first claim has ended, whether it succeeded or not. */
  readonly claimed: Promise<void>
  readonly turns = new Turns()
  private readonly context: LaneContext
  private positions = new Map<string, Position>()
  private work: OwnedWork | undefined
  private readonly fault = new RepeatedFault()
  private failures = 0
  private paused: string | undefined
  private silence: string | undefined
  private readonly notes: ConditionNotes
  private readonly room: ParkingRoom

  constructor(number: number, context: LaneContext) {
    this.number = number
    this.context = context
    this.notes = new ConditionNotes(context.pool, context.noting)
    this.room = new ParkingRoom(context.pool, number, context.parkedLimit)
    this.claimed = this.claim()
  }

  /** Next offset of a topic (without namespace); undefined until claimed. */
  position(topic: string): number | undefined {
    return this.positions.get(topic)?.offset
  }

  /** End of the offsets that a redelivery processes again; the lane then resumes elsewhere. Infinity without one. */
  end(topic: string): number {
    return this.positions.get(topic)?.again?.until ?? Number.POSITIVE_INFINITY
  }

  /** Whether records, timers and parked events are processed: only if the lane is live and not paused. */
  get accepting(): boolean {
    return this.phase === 'live' && this.paused === undefined
  }

  /** What operators are shown of it. */
  get standing(): LanePhase | LaneCondition {
    return this.phase === 'live' ? this.notes.latest : this.phase
  }

  /** How many inputs may be processed together. */
  get limit(): number {
    return this.work?.guard.limit ?? 1
  }

  /**
   * Processes a request; call it within a turn.
   * @returns false if it failed: the lane then pauses fetching or claims itself again, and the request is repeated
   */
  async process(request: Request): Promise<boolean> {
    const { work } = this
    const isOurs = () => this.phase === 'live' && this.work === work
    if (!work || !isOurs()) return false
    const { done, failure } = await work.guard.process(request)
    // Where the lane has been, or is being, claimed again: the claim reads what this request committed
    if (!isOurs()) return false
    for (const each of done) this.settle(each)
    if (failure) {
      this.fail(failure.error, request)
      return false
    }
    if (this.fault.clear(sourceOf(request))) this.failures = 0
    this.noteStanding()
    const { batch } = done.at(-1) ?? {}
    // A redelivery is complete: the new claim resumes at the position before it
    if (batch?.source === 'record' && this.end(batch.move.topic) === batch.move.to) this.claimAgain()
    return true
  }

  /** Reacts to an error in the work of this lane, for example on a request: stops, waits or claims itself again. */
  fail(error: unknown, request?: Request): void {
    if (isTallyError(error, 'LANE_STOPPED')) this.halt(error.message)
    else if (isTallyError(error) && waitsFor.has(error.code)) this.wait(error, request?.source === 'record')
    else this.setAside(error, request && sourceOf(request))
  }

  /** Pauses the lane for this reason, or resumes it (undefined). A paused lane still processes answers to its calls. */
  pause(reason: string | undefined): void {
    if (this.paused === reason) return
    const resumed = this.paused !== undefined && reason === undefined
    this.paused = reason
    this.context.log.info({ lane: this.number, reason }, resumed ? 'lane resumed' : 'lane paused')
    if (this.phase !== 'live') return
    if (resumed) this.context.readOn(this.number)
    else this.context.pauseFetching(this.number)
    void this.turns.alone(async () => this.noteStanding()) // True only when the batch in progress has ended
  }

  /** Reports to operators that no heartbeat is answered. Ownership does not depend on it: PostgreSQL decides that. */
  unheard(reason: string | undefined): void {
    this.notes.repeat()
    if (reason === this.silence) return
    this.silence = reason
    this.noteStanding()
  }

  /** Call when the database has a newer epoch: another replica claimed the lane, or an operator moved its position. */
  overtaken(epoch: number): void {
    if (epoch > this.epoch && (this.phase === 'live' || this.phase === 'stopped')) this.fence()
  }

  /** Stops the lane at records it cannot process. An operator must act. */
  halt(found: string): void {
    if (this.phase === 'dropped') return
    const reason = withWayOn(found, this.context.group, this.number)
    this.phase = 'stopped'
    this.work?.close()
    this.context.log.error({ lane: this.number, epoch: this.epoch, reason }, 'lane stopped')
    this.note('stopped', reason)
    this.context.pauseFetching(this.number)
  }

  async drop(): Promise<void> {
    const held = this.phase === 'live'
    this.phase = 'dropped'
    this.work?.close()
    if (held) await this.work?.guard.released().catch(() => {}) // A failure only makes the next owner careful
  }

  /** Resolves when the lane's work in progress has ended. */
  idle(): Promise<unknown> {
    return this.turns.alone(async () => {})
  }

  /** Waits for an unavailable service, or for room. The lane keeps its owner, and still publishes and makes calls. */
  private wait({ code, message: reason }: TallyError, records: boolean): void {
    const { context, number: lane, epoch } = this
    const wanted = () => this.accepting && this.epoch === epoch
    if (this.note('waiting', reason)) context.log.error({ lane, epoch, reason }, 'lane waits')
    context.pauseFetching(lane)
    void this.backOff().then(async () => {
      await (records && code === 'LANE_FULL' ? this.room.available(wanted) : this.room.looking)
      if (wanted()) context.readOn(lane)
    })
  }

  /** Waits longer after each consecutive failure, at most 2 s. */
  backOff(): Promise<void> {
    return delay(Math.min(2_000, 50 * 2 ** this.failures++) * (0.5 + Math.random() / 2))
  }

  /** After a batch's commit: moves the position, publishes its events, makes its calls. */
  private settle(processed: Processed): void {
    const { batch, parked } = processed
    if (batch.source === 'record')
      this.positions.set(batch.move.topic, { ...this.positions.get(batch.move.topic), offset: batch.move.to })
    if (parked > 0 && batch.source !== 'parked') {
      this.context.log.error({ lane: this.number, parked, ...logFields(processed.refused[0]?.input) }, 'events parked')
    }
    this.work?.settle(processed)
    this.context.stir()
  }

  /** Claims the lane again, which shows whether it lost its connection, its transaction or its ownership. */
  private setAside(error: unknown, source?: string): void {
    if (this.phase !== 'live') return
    this.fault.saw(error, source)
    this.context.log.warn({ lane: this.number, epoch: this.epoch, error: describeError(error) }, 'lane set aside')
    if (isTallyError(error, 'FENCED')) this.fence()
    else this.claimAgain()
  }

  private claimAgain(): void {
    if (this.phase !== 'live') return
    this.work?.close()
    this.phase = 'claiming'
    this.context.pauseFetching(this.number)
    void this.claim(this.epoch)
  }

  private fence(): void {
    this.work?.close()
    this.phase = 'fenced'
    this.fencedAt = performance.now()
    this.context.fenced?.()
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
    this.notes.begun()
    this.work = new OwnedWork(context, { lane: this, own: { lane, epoch }, begun, fault: this.fault })
    this.phase = 'live'
    context.log.info({ lane, epoch }, 'lane claimed')
    context.stir()
    this.noteStanding()
    if (this.accepting) context.readOn(lane)
  }

  private noteStanding(): void {
    if (this.phase !== 'live') return
    if (this.paused !== undefined) this.note('paused', this.paused)
    else this.note(this.silence === undefined ? 'live' : 'waiting', this.silence)
  }

  private note(condition: LaneCondition, reason?: string): boolean {
    return this.notes.note({ lane: this.number, epoch: this.epoch }, condition, reason)
  }
}
