import { countEvents } from '../../../../producers/outbox/outbox-batch.ts'
import { TallyError } from '../../../../infra/errors.ts'
import { lastMs } from '../../../../infra/monitor/tracer.ts'
import { retryDeadlocks } from '../../../../infra/postgres/retry-deadlocks.ts'
import { inTransaction } from '../../../../infra/postgres/transaction.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import type { ConsumerDefinition } from '../../../runtime/handler.ts'
import type { Ownership, RecordInput } from '../../../runtime/model.ts'
import { lockLaneAsOperator } from '../../../../producers/outbox/lane-table.ts'
import { applyChosen } from './apply-chosen.ts'
import type { Applied, Refused } from './apply-chosen.ts'
import { readChosen } from '../reading/chosen-inputs.ts'
import type { ChosenInput } from '../reading/chosen-inputs.ts'
import { lastDecision } from '../../../runtime/tables/audit.ts'
import { readDecisions } from '../reading/operator-decisions.ts'
import type { Decisions } from '../reading/operator-decisions.ts'
import { continuedFrom, recordReplayed } from '../replay-spans.ts'
import { notHandled, noteHandled } from './handled-events.ts'
import type { Figures, ReplayContext, ReplayFailure, ReplayPartition, ReplayRun } from '../mode.ts'
import { advancesBefore } from '../reading/read-stretches.ts'
import type { Stretch } from '../reading/read-stretches.ts'

/** Handles the selected events of one lane again, a stretch at a time, beside the lane's owner. */
export class LaneReprocessing {
  private readonly context: ReplayContext & { readonly definition: ConsumerDefinition<unknown, unknown> }
  private readonly run: ReplayRun
  private readonly lane: number
  private readonly ranges: readonly ReplayPartition[]
  private readonly behind: Set<string>
  private decisions: { readonly upTo: number; readonly all: Decisions } | undefined

  /** @param behind keys with an event that the replay has skipped */
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
   * Effects and progress are one transaction. The lane's owner waits meanwhile; it is not fenced.
   * @returns whether there are events or calls for the lane's owner to send
   * @throws TallyError HANDLER_FAILED if an event fails and failures are not skipped: the events before it are done
   */
  async take(stretch: Stretch): Promise<boolean> {
    for (;;) {
      const upTo = this.decisions?.upTo ?? (await this.readDecisions())
      const chosen = await this.read(stretch)
      // What fails is halved within the transaction, so shared rows are locked by several statements, in no order
      const began = performance.now()
      const { result, behind } = await retryDeadlocks(() => this.attempt(stretch, chosen, upTo))
      const handled = result?.applied.flatMap(({ inputs }) => inputs.filter((each) => each.source === 'record')) ?? []
      recordReplayed(this.context.tracer, this.run, handled, lastMs(performance.now() - began))
      if (result?.stop) throw stopAt(result.stop)
      for (const key of behind) this.behind.add(key)
      if (result) return result.applied.some(({ publish, outcome }) => publish.length + outcome.calls.length > 0)
      this.decisions = undefined // An operator has edited or dropped an event meanwhile
    }
  }

  /** @returns no result if decisions of operators are newer than those of the chosen events */
  private async attempt(stretch: Stretch, chosen: readonly ChosenInput[], upTo: number) {
    const behind = new Set(this.behind) // Grows; what a transaction that is rolled back added must not stay
    const result = await inTransaction(this.context.pool, async (tx) => {
      await tx.query(`set local idle_in_transaction_session_timeout = '2s'`) // As a replica's: others wait for the lane
      const own = { lane: this.lane, epoch: await lockLaneAsOperator(tx, this.lane) }
      return (await lastDecision(tx, this.lane)) === upTo ? this.apply(tx, own, stretch, chosen, behind) : undefined
    })
    return { result, behind }
  }

  private async apply(tx: Tx, own: Ownership, stretch: Stretch, chosen: readonly ChosenInput[], behind: Set<string>) {
    const { context, run } = this
    const skipRefused = run.options.skipFailed ?? false
    const read = chosen.flatMap(({ input }) => input ?? [])
    const inputs = await notHandled(tx, run.id, read)
    const { applied, refused } = await applyChosen(inputs, {
      ...{ tx, own, behind, skipRefused },
      context: { ...context, generation: context.config.generation },
      inbox: 'bypass',
    })
    await noteHandled(tx, run.id, applied.flatMap(idsOf))
    const stop = skipRefused ? undefined : refused[0]
    if (stop) {
      const end = chosen.findIndex(({ input }) => input === stop.input)
      await run.advance(tx, advancesBefore(stretch, chosen[end]!.record), figuresOf(chosen.slice(0, end), applied, 0))
    } else {
      await run.noteFailures(tx, refused.map(failureOf))
      await run.advance(tx, stretch.advances, figuresOf(chosen, applied, refused.length))
    }
    return { applied, stop }
  }

  private async readDecisions(): Promise<number> {
    const upTo = await lastDecision(this.context.pool, this.lane)
    const ranges = this.ranges.map(({ topic, partition, next: from, to }) => ({ topic, partition, from, to }))
    this.decisions = { upTo, all: await readDecisions(this.context.pool, ranges) }
    return upTo
  }

  private async read({ chosen }: Stretch): Promise<ChosenInput[]> {
    const { id, plan, options } = this.run
    const read = await readChosen(this.context, plan, chosen, this.decisions?.all ?? new Map())
    const traced = (input: RecordInput | undefined) => input && this.context.tracer && continuedFrom(id, input)
    const steps = read.map((step) => ({ ...step, input: traced(step.input) ?? step.input }))
    if (options.emit !== 'corrected') return steps
    return steps.map(({ input, ...step }) => ({
      ...step,
      input: input && { ...input, cause: { ...input.cause, correctedBy: id } },
    }))
  }
}

const idsOf = ({ inputs }: Applied): string[] =>
  inputs.flatMap((input) => (input.source === 'record' ? input.inboxId : []))

function figuresOf(chosen: readonly ChosenInput[], applied: readonly Applied[], failed: number): Figures {
  const sum = (of: (each: Applied) => number) => applied.reduce((total, each) => total + of(each), 0)
  const handled = sum(({ inputs }) => inputs.length)
  const read = chosen.filter(({ input }) => input).length
  const dropped = chosen.filter((each) => each.dropped).length
  return {
    handled,
    statesWritten: sum(({ outcome }) => outcome.states.size),
    sharedWritten: sum(({ outcome }) => outcome.shared.size),
    emitted: sum(({ publish }) => countEvents(publish)),
    calls: sum(({ outcome }) => outcome.calls.length),
    timers: sum(({ outcome }) => outcome.timers.length),
    failed,
    /** Events that are in the log twice. */
    repeated: read - handled - failed,
    dropped,
    ignored: chosen.length - read - dropped,
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
    'HANDLER_FAILED',
    `${topic}/${partition} offset ${offset}: ${event?.type ?? 'an event'} of key ${key} cannot be handled (${reason}): ${error}; the events before it are done`,
  )
}
