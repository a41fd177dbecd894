import type { World } from '../world.ts'

/** Every event decided is on its topic, each lane's numbers have no gap; order is seen to by the witness. */
export function checkPublication({ witness: { decided, published }, database: { tables } }: World): string[] {
  const found: string[] = []
  for (const place of decided.keys()) if (!published.has(place)) found.push(`event ${place} was never published`)
  for (const { lane, next_seq } of tables.lanes.committed.values()) {
    for (let seq = 1; seq < next_seq; seq++) if (!decided.has(`${lane}/${seq}`)) found.push(`no event ${lane}/${seq}`)
  }
  const ids = [...decided.values()].map(({ eventId }) => eventId)
  if (new Set(ids).size < ids.length) found.push('an event was decided twice')
  return found
}
