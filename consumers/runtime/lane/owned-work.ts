import type { LaneFeed } from '../../../producers/outbox/lane-feed.ts'
import type { Processed } from '../batch/process-batch.ts'
import { RequestProcessor } from '../batch/process-request.ts'
import type { Ownership } from '../model.ts'
import type { Begun } from '../tables/lane-state.ts'
import { AttemptGuard } from './attempt-guard.ts'
import { LaneAnswers } from './lane-answers.ts'
import type { AnswerLane } from './lane-answers.ts'
import type { LaneCalls } from './lane-calls.ts'
import type { LaneContext } from './lane-context.ts'
import type { RepeatedFault } from './repeated-fault.ts'

export interface OwnedWorkOptions {
  /** Processes the answers to its calls. */
  readonly lane: AnswerLane
  readonly own: Ownership
  readonly begun: Begun
  readonly fault: RepeatedFault
}

/** What one ownership of a lane works with: it begins with the claim and is closed when the lane may have another owner. */
export class OwnedWork {
  readonly guard: AttemptGuard
  private readonly feed: LaneFeed
  private readonly calls: LaneCalls
  private readonly answers: LaneAnswers

  constructor(context: LaneContext, { lane, own, begun, fault }: OwnedWorkOptions) {
    const processor = new RequestProcessor({ ...context, own, fault })
    this.guard = new AttemptGuard({ ...context, processor }, own, begun)
    this.answers = new LaneAnswers(lane)
    this.feed = context.relay.open(own.lane)
    this.calls = context.caller.open(own, (answer) => this.answers.push(answer))
  }

  /** After a batch's commit: publishes its events and makes its calls. */
  settle({ batch, publish, calls }: Processed): void {
    if (batch.source === 'answer') for (const { id } of batch.inputs) this.calls.done(id)
    this.feed.offer(publish)
    this.calls.offer(calls)
  }

  close(): void {
    this.feed.close()
    this.calls.close()
    this.answers.close()
  }
}
