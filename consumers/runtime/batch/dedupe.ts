import type { Tx } from '../../../infra/postgres/transaction.ts'
import { together } from '../../../infra/postgres/together.ts'
import type { EventType } from '../../../schemas/generated/events.ts'
import { takeAnswered } from '../tables/call-table.ts'
import { forgetIds, takeIds } from '../tables/inbox/inbox.ts'
import { retakeRecords } from '../tables/ledger.ts'
import type { Batch, Input, LaneBatch, RecordInput, Retry } from '../model.ts'
import { knownPlaces } from '../tables/known-places.ts'
import { blockedKeys } from '../tables/parked-table.ts'
import { keysAhead, stillParked } from '../tables/retry-table.ts'
import { takeFired } from '../tables/timer-table.ts'

export const batchKeys = ({ inputs }: Batch): string[] =>
  inputs.map((each) => ('input' in each ? each.input : each).key)

/** For each batch, the keys whose new inputs must queue behind parked inputs of the key (for retries: earlier ones). */
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

/**
 * Removes the inputs that took effect before: events that the inbox knows, and answers, timers and retries whose row is
 * gone.
 * @returns the new inputs of each batch, in order
 */
export async function dedupe(
  tx: Tx,
  work: readonly LaneBatch[],
  handlers: { readonly [T in EventType]?: unknown },
): Promise<(readonly Input[])[]> {
  const [fresh, answered, fired] = await together(
    newRecords(tx, work),
    claimRows(tx, work, 'answer', takeAnswered),
    claimRows(tx, work, 'timer', takeFired),
  )
  return together(
    ...work.map(async ({ own, batch }): Promise<readonly Input[]> => {
      switch (batch.source) {
        case 'record':
          return batch.inputs.filter((input) => fresh.has(input))
        case 'chosen':
          if (batch.inbox === 'honour') return batch.inputs.filter((input) => fresh.has(input))
          await retakeRecords(
            tx,
            batch.inputs.filter((input) => fresh.has(input)),
          )
          return batch.inputs
        case 'parked':
          return newRetries(tx, own.lane, batch.inputs, handlers)
        case 'answer':
          return batch.inputs.filter(({ id }) => answered.delete(id)) // The first of several copies
        case 'timer':
          return batch.inputs.filter(({ id }) => fired.delete(id))
      }
    }),
  )
}

/** Adds the records' ids to the inbox. @returns the records that were new */
async function newRecords(tx: Tx, work: readonly LaneBatch[]): Promise<ReadonlySet<RecordInput>> {
  const lists = await together(...work.map(({ batch }) => newPlaces(tx, batch)))
  const records = lists.flat()
  const fresh = await takeIds(
    tx,
    records.map(({ inboxId }) => inboxId),
  )
  // `delete`, because a second copy within the batches is a duplicate
  return new Set(records.filter(({ inboxId }) => fresh.delete(inboxId)))
}

/** The batch's records; during a redelivery, without those that the inbox knows by their place. */
async function newPlaces(tx: Tx, batch: Batch): Promise<readonly RecordInput[]> {
  if (batch.source !== 'record' && batch.source !== 'chosen') return []
  const again = batch.source === 'record' ? batch.move.again : batch.inbox === 'honour'
  if (!again) return batch.inputs
  const known = await knownPlaces(tx, batch.inputs)
  return batch.inputs.filter(({ placeId }) => !known.has(placeId()))
}

/** Deletes the rows of the inputs of one source. @returns ids of the rows that still existed */
async function claimRows(
  tx: Tx,
  work: readonly LaneBatch[],
  source: 'answer' | 'timer',
  remove: (tx: Tx, lanes: readonly number[], ids: readonly string[]) => Promise<Set<string>>,
): Promise<Set<string>> {
  const from = work.filter(({ batch }) => batch.source === source)
  if (from.length === 0) return new Set()
  const ids = from.flatMap(({ batch }) => batch.inputs.flatMap((input) => ('id' in input ? input.id : [])))
  return remove(
    tx,
    from.map(({ own }) => own.lane),
    ids,
  )
}

/**
 * Selects the retries to handle now: unchanged since they were read, of a type the consumer handles, and not processed
 * in the meantime under an id that could not be read before (an operator may have published the corrected event).
 */
async function newRetries(
  tx: Tx,
  lane: number,
  retries: readonly Retry[],
  handlers: { readonly [T in EventType]?: unknown },
): Promise<Input[]> {
  const still = await stillParked(tx, lane, retries)
  const parked = retries.filter(({ parkedId }) => still.has(parkedId))
  const renamed = parked.flatMap(({ parkedInboxId, input }) =>
    input.source === 'record' && input.inboxId !== parkedInboxId ? [{ from: parkedInboxId, to: input.inboxId }] : [],
  )
  const fresh = await takeIds(
    tx,
    renamed.map(({ to }) => to),
  )
  await forgetIds(
    tx,
    renamed.map(({ from }) => from),
  )
  return parked.flatMap(({ parkedInboxId, input }): Input[] => {
    if (input.source !== 'record') return [input]
    if (input.event && !handlers[input.event.type]) return []
    return input.inboxId === parkedInboxId || fresh.delete(input.inboxId) ? [input] : []
  })
}
