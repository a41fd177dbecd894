import type { Tx } from '../../../infra/postgres/postgres.ts'
import { together } from '../../../infra/postgres/together.ts'
import type { EventType } from '../../../schemas/generated/events.ts'
import { takeAnswered } from '../tables/call-table.ts'
import { takeIds } from '../tables/inbox.ts'
import type { Batch, Input, RecordInput } from '../model.ts'
import { knownPlaces } from '../tables/known-places.ts'
import { blockedKeys } from '../tables/parked-table.ts'
import { keysAhead } from '../tables/retry-table.ts'
import { takeRetries } from './take-retries.ts'
import type { LaneBatch } from './take-batch.ts'
import { takeFired } from '../tables/timer-table.ts'

export const batchKeys = ({ inputs }: Batch): string[] =>
  inputs.map((each) => ('input' in each ? each.input : each).key)

/** Keys of each batch that already have something parked in its lane, or in front of it. */
export async function blockedIn(tx: Tx, work: readonly LaneBatch[]): Promise<ReadonlySet<string>[]> {
  const others = work.filter(({ batch }) => batch.source !== 'parked')
  const lanes = others.map(({ own }) => own.lane)
  const keys = others.flatMap(({ batch }) => batchKeys(batch))
  const byLane = blockedKeys(tx, lanes, [...new Set(keys)])
  return together(
    ...work.map(async ({ own: { lane }, batch }) =>
      batch.source === 'parked' ? keysAhead(tx, lane, batch.inputs) : ((await byLane).get(lane) ?? new Set<string>()),
    ),
  )
}

/** The inputs that were not taken before: by the inbox for events, by their own row for answers, timers and retries. */
export async function takeNew(
  tx: Tx,
  work: readonly LaneBatch[],
  handlers: { readonly [T in EventType]?: unknown },
): Promise<(readonly Input[])[]> {
  const [fresh, answered, fired] = await together(
    takeRecords(tx, work),
    takeRows(tx, work, 'answer', takeAnswered),
    takeRows(tx, work, 'timer', takeFired),
  )
  return together(
    ...work.map(async ({ own, batch }): Promise<readonly Input[]> => {
      switch (batch.source) {
        case 'record':
          return batch.inputs.filter((input) => fresh.has(input))
        case 'chosen':
          return batch.inbox === 'bypass' ? batch.inputs : batch.inputs.filter((input) => fresh.has(input))
        case 'parked':
          return takeRetries(tx, own.lane, batch.inputs, handlers)
        case 'answer':
          return batch.inputs.filter(({ id }) => answered.delete(id)) // Of one that came twice, the first
        case 'timer':
          return batch.inputs.filter(({ id }) => fired.delete(id))
      }
    }),
  )
}

/** Remembers the records' ids. @returns those that were new */
async function takeRecords(tx: Tx, work: readonly LaneBatch[]): Promise<ReadonlySet<RecordInput>> {
  const lists = await together(...work.map(({ batch }) => newPlaces(tx, batch)))
  const records = lists.flat()
  const fresh = await takeIds(
    tx,
    records.map(({ inboxId }) => inboxId),
  )
  // A repeat finds its id already gone from the set
  return new Set(records.filter(({ inboxId }) => fresh.delete(inboxId)))
}

/** The batch's records; of those taken again, the ones that are not known by their places. */
async function newPlaces(tx: Tx, batch: Batch): Promise<readonly RecordInput[]> {
  if (batch.source !== 'record' && batch.source !== 'chosen') return []
  const again = batch.source === 'record' ? batch.move.again : batch.inbox === 'honour'
  if (!again) return batch.inputs
  const known = await knownPlaces(tx, batch.inputs)
  return batch.inputs.filter(({ placeId }) => !known.has(placeId()))
}

/** Takes away the rows of what one source has brought. @returns ids of those that were still there */
async function takeRows(
  tx: Tx,
  work: readonly LaneBatch[],
  source: 'answer' | 'timer',
  take: (tx: Tx, lanes: readonly number[], ids: readonly string[]) => Promise<Set<string>>,
): Promise<Set<string>> {
  const from = work.filter(({ batch }) => batch.source === source)
  if (from.length === 0) return new Set()
  const ids = from.flatMap(({ batch }) => batch.inputs.flatMap((input) => ('id' in input ? input.id : [])))
  return take(
    tx,
    from.map(({ own }) => own.lane),
    ids,
  )
}
