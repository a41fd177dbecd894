import type { Tx } from '../../../infra/postgres/transaction.ts'
import type { EventType } from '../../../schemas/generated/events.ts'
import { forgetIds, takeIds } from '../tables/inbox.ts'
import type { Input, Retry } from '../model.ts'
import { stillParked } from '../tables/retry-table.ts'

/**
 * Selects the retries to handle now: still parked as they were read, of a type the consumer handles, and not processed
 * in the meantime under an id that could not be read before (an operator may have published the corrected event).
 */
export async function processRetries(
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
