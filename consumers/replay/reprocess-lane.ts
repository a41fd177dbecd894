import { TallyError } from '../../infra/errors.ts'
import { inTransaction } from '../../infra/postgres.ts'
import type { ConsumerDefinition } from '../runtime/handler.ts'
import type { RecordInput } from '../runtime/input.ts'
import { lockLaneByHand } from '../runtime/parking/selection.ts'
import { applyChosen } from './apply-chosen.ts'
import type { Applied, Refused } from './apply-chosen.ts'
import { readChosen } from './chosen-inputs.ts'
import type { ChosenInput } from './chosen-inputs.ts'
import { lastDecision, readDecisions } from './decided-by-hand.ts'
import type { Decisions } from './decided-by-hand.ts'
import { notHandled, noteHandled } from './handled-events.ts'
import type { Figures, ReplayContext, ReplayFailure, ReplayPartition, ReplayRun } from './mode.ts'
import { advancesBefore } from './read-stretches.ts'
import type { Stretch } from './read-stretches.ts'

/** Handles the chosen events of one lane again, a stretch at a time, beside the lane's owner. */
export class LaneReprocessing {
  private readonly context: ReplayContext & { readonly definition: ConsumerDefinition<unknown, unknown> }
  private readonly run: ReplayRun
  private readonly lane: number
  private readonly ranges: readonly ReplayPartition[]
  private readonly behind: Set<string>
  private decisions: { readonly upTo: number; readonly all: Decisions } | undefined

  /** @param behind keys of which the replay has passed over an event */
  constructor(
    context: LaneReprocessing['context'],
    run: ReplayRun,
    lane: number,
    ranges: readonly ReplayPartition[],
    behind: ReadonlySet<string>,
  ) {
    this.context = context
    this.run = run
    this.lane = lane
    this.ranges = ranges
    this.behind = new Set(behind)
  }

  /**
   * Effects and progress are one transaction. The lane's owner waits meanwhile; nothing of its own is fenced.
   * @returns whether something was written that the lane's owner must send or call
   * @throws TallyError USAGE if an event fails and failures are not passed over: what lies in front of it is done
   */
  async take(stretch: Stretch): Promise<boolean> {
    for (;;) {
      const upTo = this.decisions?.upTo ?? (await this.readDecisions())
      const steps = await this.read(stretch)
      const done = await inTransaction(this.context.pool, async (tx) => {
        const own = { lane: this.lane, epoch: await lockLaneByHand(tx, this.lane) }
        if ((await lastDecision(tx)) !== upTo) return undefined // A person has decided something meanwhile: read again
        const inputs = await notHandled(
          tx,
          this.run.id,
          steps.flatMap(({ input }) => input ?? []),
        )
        const { context, behind } = this
        const goOn = this.run.options.skipFailed ?? false
        const { applied, refused } = await applyChosen(inputs, { tx, context, own, inbox: 'bypass', behind, goOn })
        const handled = applied.flatMap((each) => each.inputs as readonly RecordInput[])
        await noteHandled(
          tx,
          this.run.id,
          handled.map(({ inboxId }) => inboxId),
        )
        const stop = goOn ? undefined : steps.find(({ input }) => input && input === refused[0]?.input)
        const through = stop ? steps.slice(0, steps.indexOf(stop)) : steps
        if (!stop) await this.run.noteFailures(tx, refused.map(failureOf))
        const advances = stop ? advancesBefore(stretch, stop.record) : stretch.advances
        await this.run.advance(tx, advances, figuresOf(through, applied, goOn ? refused.length : 0))
        return { applied, failed: stop && refused[0] }
      })
      if (done?.failed) throw stopAt(done.failed)
      if (done) return done.applied.some(({ publish, outcome }) => publish.length + outcome.calls.length > 0)
      this.decisions = undefined
    }
  }

  private async readDecisions(): Promise<number> {
    const upTo = await lastDecision(this.context.pool)
    const ranges = this.ranges.map(({ topic, partition, next: from, to }) => ({ topic, partition, from, to }))
    this.decisions = { upTo, all: await readDecisions(this.context.pool, ranges) }
    return upTo
  }

  private async read({ chosen }: Stretch): Promise<ChosenInput[]> {
    const { id, plan, options } = this.run
    const steps = await readChosen(this.context, plan, chosen, this.decisions?.all ?? new Map())
    if (options.emit !== 'corrected') return steps
    return steps.map(({ input, ...step }) => ({
      ...step,
      input: input && { ...input, cause: { ...input.cause, correctedBy: id } },
    }))
  }
}

function figuresOf(steps: readonly ChosenInput[], applied: readonly Applied[], failed: number): Figures {
  const sum = (of: (each: Applied) => number) => applied.reduce((total, each) => total + of(each), 0)
  const handled = sum(({ inputs }) => inputs.length)
  const read = steps.filter(({ input }) => input).length
  const dropped = steps.filter((step) => step.dropped).length
  return {
    handled,
    statesWritten: sum(({ outcome }) => outcome.states.size),
    sharedWritten: sum(({ outcome }) => outcome.shared.size),
    emitted: sum(({ publish }) => publish.length),
    calls: sum(({ outcome }) => outcome.calls.length),
    timers: sum(({ outcome }) => outcome.timers.length),
    failed,
    /** In the log twice. */
    repeated: read - handled - failed,
    dropped,
    ignored: steps.length - read - dropped,
  }
}

export const failureOf = ({ input, reason, error }: Refused): ReplayFailure => ({
  topic: input.topic,
  partition: input.partition,
  offset: input.offset,
  key: input.key,
  type: input.event?.type ?? null,
  reason,
  error,
})

function stopAt({ input, reason, error }: Refused): TallyError {
  const { topic, partition, offset, key, event } = input
  return new TallyError(
    'USAGE',
    `${topic}/${partition} offset ${offset}: ${event?.type ?? 'an event'} of key ${key} cannot be handled (${reason}): ${error}; what lies in front of it is done`,
  )
}
