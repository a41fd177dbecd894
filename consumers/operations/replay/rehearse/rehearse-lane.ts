import { isDeepStrictEqual } from 'node:util'
import { hasSqlState } from '../../../../infra/postgres/sqlstates.ts'
import { rolledBack } from '../../../../infra/postgres/transaction.ts'
import type { RecordInput } from '../../../runtime/model.ts'
import { decide } from '../../../runtime/batch/decide.ts'
import type { ConsumerDefinition } from '../../../runtime/handler.ts'
import { lockLaneByHand } from '../../parked/selection.ts'
import { recordChanges } from '../../record-changes.ts'
import type { RowChange } from '../../record-changes.ts'
import { writtenRows, writtenSince } from '../../written-rows.ts'
import { applyChosen } from '../reprocess/apply-chosen.ts'
import type { ReplayContext } from '../mode.ts'
import { nothing } from './rehearsal.ts'
import type { LaneRehearsal } from './rehearsal.ts'
import { failureOf } from '../reprocess/reprocess-lane.ts'

type Consuming = Pick<ReplayContext, 'pool' | 'codec'> & { readonly definition: ConsumerDefinition<unknown, unknown> }

/**
 * Handles events of one lane in a transaction that is rolled back. The lane's owner waits meanwhile; a lane that does not come
 * free within two seconds is left.
 */
export async function rehearseLane(
  context: Consuming,
  lane: number,
  inputs: readonly RecordInput[],
  inbox: 'honour' | 'bypass',
): Promise<LaneRehearsal> {
  try {
    const whole = await attempt(context, lane, inputs, inbox)
    if (whole.refused.length === 0) return whole.rehearsal
    // The account of what was written has those that failed, too: once more without them
    const out = new Set(whole.refused.map(({ input }) => input))
    const others = inputs.filter((input) => !out.has(input))
    const { rehearsal } = await attempt(context, lane, others, inbox)
    const figures = { ...rehearsal.figures, failed: out.size }
    return { ...rehearsal, figures, failures: whole.refused.map(failureOf) }
  } catch (error) {
    if (!hasSqlState(error, 'lockNotAvailable')) throw error
    return { ...nothing, left: [{ lane, why: 'its owner is busy with it' }] }
  }
}

const attempt = (
  { pool, codec, definition }: Consuming,
  lane: number,
  inputs: readonly RecordInput[],
  inbox: 'honour' | 'bypass',
) =>
  rolledBack(pool, async (tx) => {
    await tx.query(
      `set local lock_timeout = '2s'; set local statement_timeout = '5s'; set local idle_in_transaction_session_timeout = '2s'`,
    )
    const own = { lane, epoch: await lockLaneByHand(tx, lane) }
    const recorder = recordChanges(definition)
    const before = await writtenRows(tx)
    const context = { definition: recorder.definition, pool, codec, generation: 1 } // Nothing is published
    const { applied, refused } = await applyChosen(inputs, {
      tx,
      context,
      own,
      inbox,
      behind: new Set(),
      goOn: true,
    })
    const handled = applied.reduce((sum, each) => sum + each.inputs.length, 0)
    const rehearsal: LaneRehearsal = {
      ...nothing,
      figures: { handled, known: inputs.length - handled - refused.length, failed: 0 },
      states: changed(recorder.states()),
      shared: changed(recorder.shared()),
      tables: writtenSince(before, await writtenRows(tx)),
      events: applied.flatMap(({ publish }) =>
        publish.map(({ eventId: id, topic, key, value }) => ({
          id,
          topic,
          key,
          value,
          type: codec.decode(value).type,
        })),
      ),
      calls: applied.flatMap(({ outcome }) => outcome.calls),
      timers: applied.flatMap(({ outcome }) => outcome.timers),
    }
    return { rehearsal, refused }
  })

const changed = (rows: readonly RowChange[]): RowChange[] =>
  rows.filter(({ before, after }) => !isDeepStrictEqual(before, after))

/** Folds events into rows, beginning with none, as a rebuild does; the database is not asked. */
export function rehearseFold(
  { definition, codec }: Omit<Consuming, 'pool'>,
  inputs: readonly RecordInput[],
): LaneRehearsal {
  const { states, shared, parked } = decide(inputs, {
    definition,
    codec,
    states: new Map(),
    shared: new Map(),
    blocked: new Set(),
    now: Date.now(),
  })
  const made = (rows: ReadonlyMap<string, unknown>) =>
    [...rows].map(([id, after]) => ({ id, before: undefined, after }))
  return {
    ...nothing,
    figures: { handled: inputs.length - parked.length, failed: parked.length },
    states: made(states),
    shared: made(shared),
    failures: parked.map(({ input, reason, error = '' }) => failureOf({ input: input as RecordInput, reason, error })),
  }
}
