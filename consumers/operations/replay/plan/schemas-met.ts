import { prepared } from '../../../../infra/postgres/transaction.ts'
import type { ReplayContext } from '../mode.ts'
import type { PlanSchema } from '../plan.ts'

/** As `schemaIdOf`: a zero byte, then the id. Must not fail on shorter values: SQL does not fix the order of conditions. */
const id = `('x' || encode(substring(value from 2 for 4), 'hex'))::bit(32)::int`
const framed = `length(value) >= 5 and substring(value for 1) = '\\x00'`

const waiting = prepared<{ id: number; parked: number; outbox: number }>(
  'replay_schemas_waiting',
  `select id, count(*) filter (where parked) as parked, count(*) filter (where not parked) as outbox from (
     select ${id} as id, true as parked from parked where source = 'record' and ${framed}
     union all select ${id}, false from outbox where ${framed}) as waiting
   where id > 0 group by id order by id limit 1000`,
)

/**
 * The schemas of selected records and of the group's parked events and outbox, and whether today's readers can read each.
 * @param selected records by schema id
 * @throws TallyError UNREACHABLE while the registry does not answer
 */
export async function schemasMet(
  { codec, pool, definition }: Pick<ReplayContext, 'codec' | 'pool' | 'definition'>,
  selected: ReadonlyMap<number, number>,
): Promise<PlanSchema[]> {
  const rows = new Map((definition ? await waiting(pool) : []).map((row) => [row.id, row]))
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
