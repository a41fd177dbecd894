import { readNextOffsets } from '../../runtime/tables/ledger-account.ts'
import { countUnpublished } from '../../../producers/outbox/outbox-table.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Services } from './services.ts'
import type { TopicEnds } from './undrained.ts'

/** The work left before the services can move to the next generation of the topics. */
export interface Rest {
  /** Events a group has not processed, summed over groups. */
  behind: number
  /** Events consumers have not published. */
  unpublished: number
  /** Events of the orders API that are held back for the new topics. */
  held: number
}

/** @param ends of the topics, read before: events may have arrived since */
export async function readRest(pool: Pool, { orders, groups }: Services, ends: TopicEnds): Promise<Rest> {
  const rest = { behind: 0, unpublished: 0, held: 0 }
  for (const { schema, topics } of groups) {
    const [positions, waiting] = await Promise.all([readNextOffsets(pool, schema), countUnpublished(pool, schema)])
    for (const topic of topics)
      for (const [partition, end] of (ends.get(topic) ?? []).entries())
        rest.behind += Math.max(0, end - (positions.get(`${topic}/${partition}`) ?? 0))
    rest.unpublished += waiting
  }
  rest.held = await countUnpublished(pool, orders.schema)
  return rest
}
