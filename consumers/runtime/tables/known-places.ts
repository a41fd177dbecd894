import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import type { RecordInput } from '../model.ts'

const known = prepared<{ place_id: string }>(
  'parked_places_known',
  `select place_id from unnest($1::uuid[], $2::text[], $3::int[], $4::bigint[])
     as record (place_id, topic, partition, "offset")
   where exists (select from inbox where event_id = place_id)
     or exists (select from parked_audit as audit
       where source = 'record' and action = 'EDITED'
         and (audit.topic, audit.partition, audit."offset") = (record.topic, record.partition, record."offset"))`,
)

/**
 * Redelivered records that the inbox may know only by their place and not by the id that can be read today: they were
 * unreadable and are still parked, or an operator dropped or edited them. Processed as new, they would take effect
 * twice or out of order.
 * @returns their place ids
 */
export async function knownPlaces(tx: Tx, inputs: readonly RecordInput[]): Promise<Set<string>> {
  if (inputs.length === 0) return new Set()
  const rows = await known(
    tx,
    inputs.map(({ placeId }) => placeId()),
    inputs.map(({ topic }) => topic),
    inputs.map(({ partition }) => partition),
    inputs.map(({ offset }) => offset),
  )
  return new Set(rows.map(({ place_id }) => place_id))
}
