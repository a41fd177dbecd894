import type { Pool } from '../../../../infra/postgres/pool.ts'
import { prepared } from '../../../../infra/postgres/transaction.ts'
import type { RecordInput } from '../../../runtime/model.ts'
import { knownPlaces } from '../../../runtime/tables/known-places.ts'

const known = prepared<{ id: string }>(
  'replay_known',
  'select id from unnest($1::uuid[]) as asked (id) where exists (select from inbox where event_id = id)',
)

/** Events that the group's inbox knows neither by id nor by place: repeated, they would take effect. */
export async function unknownEvents(pool: Pool, inputs: readonly RecordInput[]): Promise<RecordInput[]> {
  if (inputs.length === 0) return []
  const rows = await known(
    pool,
    inputs.map(({ inboxId }) => inboxId),
  )
  const ids = new Set(rows.map(({ id }) => id))
  const unknown = inputs.filter(({ inboxId }) => !ids.has(inboxId))
  const places = await knownPlaces(pool, unknown)
  return unknown.filter(({ placeId }) => !places.has(placeId()))
}
