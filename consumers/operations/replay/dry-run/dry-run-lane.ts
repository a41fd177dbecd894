import { eventsOf } from '../../../../producers/outbox/outbox-batch.ts'
import { isDeepStrictEqual } from 'node:util'
import { hasSqlState } from '../../../../infra/postgres/sqlstates.ts'
import { decide } from '../../../runtime/batch/decide.ts'
import type { ConsumerDefinition } from '../../../runtime/handler.ts'
import type { RecordInput } from '../../../runtime/model.ts'
import { dryRun } from '../../dry-run.ts'
import type { RowChange } from '../../record-changes.ts'
import type { ReplayContext } from '../mode.ts'
import { applyChosen } from '../reprocess/apply-chosen.ts'
import type { Applied } from '../reprocess/apply-chosen.ts'
import { failureOf } from '../reprocess/reprocess-lane.ts'
import { nothing } from './plan-dry-run.ts'
import type { LaneDryRun } from './plan-dry-run.ts'

type Consuming = Pick<ReplayContext, 'pool' | 'codec'> & { readonly definition: ConsumerDefinition<unknown, unknown> }

/** Handles events of one lane again, as a replay would. Omits a lane whose lock is not free within two seconds. */
export async function dryRunLane(
  { pool, codec, definition }: Consuming,
  lane: number,
  inputs: readonly RecordInput[],
  inbox: 'honour' | 'bypass',
): Promise<LaneDryRun> {
  try {
    const { result, applied, states, shared, tables } = await dryRun({
      pool,
      definition,
      lane,
      items: inputs,
      async apply(tx, own, recorded, items) {
        const context = { definition: recorded, pool, codec, generation: 1 } // Nothing is published
        const options = { tx, context, own, inbox, behind: new Set<string>(), skipRefused: true }
        const chosen = await applyChosen(items, options)
        return { result: chosen, refused: chosen.refused.map(({ input }) => input) }
      },
    })
    const handled = applied.applied.reduce((sum, each) => sum + each.inputs.length, 0)
    const failed = result.refused.length
    return {
      ...nothing,
      figures: { handled, known: inputs.length - handled - failed, failed },
      states: states.filter(isChange),
      shared: shared.filter(isChange),
      tables,
      ...sentBy(applied.applied, codec),
      failures: result.refused.map(failureOf),
    }
  } catch (error) {
    if (!hasSqlState(error, 'lockNotAvailable')) throw error
    return { ...nothing, left: [{ lane, why: 'its owner is busy with it' }] }
  }
}

const sentBy = (
  applied: readonly Applied[],
  codec: ReplayContext['codec'],
): Pick<LaneDryRun, 'events' | 'calls' | 'timers'> => ({
  events: applied.flatMap(({ publish }) =>
    publish
      .flatMap(eventsOf)
      .map(({ eventId: id, topic, key, value }) => ({ id, topic, key, value, type: codec.decode(value).type })),
  ),
  calls: applied.flatMap(({ outcome }) => outcome.calls),
  timers: applied.flatMap(({ outcome }) => outcome.timers),
})

const isChange = ({ before, after }: RowChange): boolean => !isDeepStrictEqual(before, after)

/** Folds events into empty tables, as a rebuild does, without the database. */
export function dryRunFold({ definition, codec }: Omit<Consuming, 'pool'>, inputs: readonly RecordInput[]): LaneDryRun {
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
