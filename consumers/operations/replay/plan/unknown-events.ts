import type { Pool } from '../../../../infra/postgres/pool.ts'
import { knownIds } from '../../../runtime/tables/inbox/inbox.ts'
import type { RecordInput } from '../../../runtime/model.ts'
import { knownPlaces } from '../../../runtime/tables/known-places.ts'

/** Events that the group's inbox knows neither by id nor by place: repeated, they would take effect. */
export async function unknownEvents(pool: Pool, inputs: readonly RecordInput[]): Promise<RecordInput[]> {
  if (inputs.length === 0) return []
  const ids = await knownIds(
    pool,
    inputs.map(({ inboxId }) => inboxId),
  )
  const unknown = inputs.filter(({ inboxId }) => !ids.has(inboxId))
  const places = await knownPlaces(pool, unknown)
  return unknown.filter(({ placeId }) => !places.has(placeId()))
}
