import type { GroupKeyDryRun } from '../../../../consumers/operations/parked/dry-run-parked.ts'
import { changedFields } from '../../../../consumers/operations/parked/read-edit.ts'
import type { RowChange } from '../../../../consumers/operations/record-changes.ts'
import type { Codec } from '../../../../schemas/codec/codec.ts'
import { callLine, timerLine } from '../../../parked/effect-lines.ts'
import type { DryRunResult } from '../../contract/parked.ts'

/** A dry run as its page shows it. @param keys how many were chosen */
export const dryRunResult = (
  results: readonly GroupKeyDryRun[],
  keys: number,
  codec: Pick<Codec, 'decode'>,
): DryRunResult => ({
  keys,
  tried: results.map(({ group, key, lane, left, events, states, shared, tables }) => ({
    ...{ group, key, lane, left, tables },
    events: events.map(({ id, type, outcome, error, events: emitted, calls, timers }) => ({
      name: `${group}/${id}`,
      type,
      outcome,
      error: error ?? null,
      effects: [
        ...emitted.map(({ value, topic }) => {
          const { type: emittedType, data } = codec.decode(value)
          return `event ${emittedType} to ${topic}: ${JSON.stringify(data)}`
        }),
        ...calls.map(callLine),
        ...timers.map(timerLine),
      ],
    })),
    rows: [...states.map(rowOf('state of')), ...shared.map(rowOf('shared row'))],
  })),
})

const rowOf =
  (what: string) =>
  ({ id, before, after }: RowChange): { what: string; changes: string[] } => ({
    what: `${what} ${id}`,
    changes: changedFields(before ?? {}, after ?? {}),
  })
