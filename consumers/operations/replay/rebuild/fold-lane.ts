import { TallyError } from '../../../../infra/errors.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { decide } from '../../../runtime/batch/decide.ts'
import type { ConsumerDefinition } from '../../../runtime/handler.ts'
import type { ParkedInput, RecordInput } from '../../../runtime/model.ts'
import { readChosen } from '../reading/chosen-inputs.ts'
import type { Decisions } from '../reading/operator-decisions.ts'
import type { Advance, ReplayContext, ReplayPartition, ReplayRun } from '../mode.ts'
import type { Stretch } from '../reading/read-stretches.ts'
import { moveFolded, noteSeen } from './fold-tables.ts'
import type { IdSet } from './id-set.ts'

/** An event by its id in the live tables; without an input an operator has dropped it. */
export interface Step {
  readonly id: string
  readonly input?: RecordInput
}

export type FoldContext = ReplayContext & { readonly definition: ConsumerDefinition<unknown, unknown> }

/**
 * Folds one lane's events into tables aside, as its owner processed them into the live ones: each event once, in the order of
 * its key, with the same handlers. The events they emit are discarded: they were published before.
 */
export class LaneFold {
  private readonly context: FoldContext
  private readonly run: ReplayRun
  private readonly lane: number
  private readonly seen: IdSet

  /** @param seen ids of folded events; wrong after a failed transaction */
  constructor(context: FoldContext, run: ReplayRun, lane: number, seen: IdSet) {
    this.context = context
    this.run = run
    this.lane = lane
    this.seen = seen
  }

  /**
   * Reads and decodes events; writes nothing.
   * @throws TallyError UNREACHABLE while the registry does not answer
   */
  async read({ chosen }: Stretch, decisions: Decisions): Promise<Step[]> {
    const { context, run } = this
    const read = await readChosen(context, run.plan, chosen, decisions)
    const dropped = read.filter((each) => each.dropped).map(({ record }) => record)
    const asTheyCame = await readChosen(context, run.plan, dropped, new Map())
    const ids = new Map(asTheyCame.map(({ record, input }) => [record, input?.inboxId]))
    return read.flatMap(({ record, input }) => {
      const id = input?.inboxId ?? ids.get(record)
      return id === undefined ? [] : { id, input }
    })
  }

  /**
   * States and progress are one transaction.
   * @returns what was handled
   * @throws TallyError HANDLER_FAILED naming the first event that cannot be handled
   */
  async take(tx: Tx, { advances }: Stretch, steps: readonly Step[]): Promise<RecordInput[]> {
    const { context, run, lane } = this
    const { definition, codec } = context
    const fresh = steps.filter(({ id }) => this.seen.add(id))
    const inputs = fresh.flatMap(({ input }) => input ?? [])
    const states = await definition.state.load(tx, [...new Set(inputs.map(({ key }) => key))])
    const none = { shared: new Map(), blocked: new Set<string>() }
    const outcome = decide(inputs, { definition, codec, states, ...none, now: Date.now() })
    if (outcome.parked[0]) throw failed(outcome.parked[0])
    if (outcome.states.size > 0) await definition.state.save(tx, outcome.states)
    await noteSeen(
      tx,
      lane,
      fresh.map(({ id }) => id),
    )
    await moveFolded(tx, advances)
    await run.advance(tx, withinPlan(run.partitions, advances), {
      folded: inputs.length,
      dropped: fresh.length - inputs.length,
      repeated: steps.length - fresh.length,
      statesWritten: outcome.states.size,
    })
    return inputs
  }
}

/** Progress within the plan; events after its ranges do not count. */
const withinPlan = (ranges: readonly ReplayPartition[], advances: readonly Advance[]): Advance[] =>
  advances.filter(({ topic, partition, next }) =>
    ranges.some((range) => range.topic === topic && range.partition === partition && next <= range.to),
  )

function failed({ input, reason, error }: ParkedInput): TallyError {
  const place = input.source === 'record' ? `${input.topic}/${input.partition} offset ${input.offset}` : input.source
  return new TallyError(
    'HANDLER_FAILED',
    `${place}: an event of key ${input.key} cannot be handled (${reason}): ${error}; the events before it are done`,
  )
}
