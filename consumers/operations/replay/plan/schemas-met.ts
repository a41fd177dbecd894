import { waitingSchemas } from '../../../runtime/tables/parked-figures.ts'
import type { ReplayContext } from '../mode.ts'
import type { PlanSchema } from '../plan.ts'

/**
 * The schemas of selected records and of the group's parked events and outbox, and whether today's readers can read each.
 * @param selected records by schema id
 * @throws TallyError UNREACHABLE while the registry does not answer
 */
export async function schemasMet(
  { codec, pool, definition }: Pick<ReplayContext, 'codec' | 'pool' | 'definition'>,
  selected: ReadonlyMap<number, number>,
): Promise<PlanSchema[]> {
  const rows = new Map((definition ? await waitingSchemas(pool) : []).map((row) => [row.id, row]))
  const ids = [...new Set([...selected.keys(), ...rows.keys()])].sort((a, b) => a - b)
  await codec.learn(ids)
  return ids.map((schemaId) => ({
    id: schemaId,
    type: codec.typeOf(schemaId) ?? null,
    records: selected.get(schemaId) ?? 0,
    parked: rows.get(schemaId)?.parked ?? 0,
    outbox: rows.get(schemaId)?.outbox ?? 0,
    unreadable: codec.whyUnreadable(schemaId) ?? null,
  }))
}
