import { eventsOf } from '../../../../producers/outbox/outbox-batch.ts'
import { readLane, readWaitingLanes } from '../../../../producers/outbox/outbox-table.ts'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import { schemaIdOf } from '../../../../schemas/codec/framing.ts'
import { parkedSchemas } from '../../../runtime/tables/parked-figures.ts'
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
  const parked = new Map((definition ? await parkedSchemas(pool) : []).map((row) => [row.id, row.parked]))
  const outbox = definition ? await outboxSchemas(pool) : new Map<number, number>()
  const ids = [...new Set([...selected.keys(), ...parked.keys(), ...outbox.keys()])].sort((a, b) => a - b)
  await codec.learn(ids)
  return ids.map((schemaId) => ({
    id: schemaId,
    type: codec.typeOf(schemaId) ?? null,
    records: selected.get(schemaId) ?? 0,
    parked: parked.get(schemaId) ?? 0,
    outbox: outbox.get(schemaId) ?? 0,
    unreadable: codec.whyUnreadable(schemaId) ?? null,
  }))
}

async function outboxSchemas(pool: Pool): Promise<Map<number, number>> {
  const counts = new Map<number, number>()
  for (const lane of await readWaitingLanes(pool))
    for await (const batch of readLane(pool, lane))
      for (const { value } of eventsOf(batch)) {
        const id = schemaIdOf(value)
        if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1)
      }
  return counts
}
