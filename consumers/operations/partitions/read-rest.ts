import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Services } from './services.ts'
import type { TopicEnds } from './undrained.ts'

/** What keeps a generation of the topics from being left. */
export interface Rest {
  /** Events some group has not taken. */
  behind: number
  /** Events consumers have not published. */
  unpublished: number
  /** Events of the orders API that wait for the new topics. */
  held: number
}

/** @param ends of the topics, asked before: more may have come since */
export async function readRest(pool: Pool, { orders, groups }: Services, ends: TopicEnds): Promise<Rest> {
  const rest = { behind: 0, unpublished: 0, held: 0 }
  for (const { schema, topics } of groups) {
    const [{ rows }, outbox] = await Promise.all([
      pool.query<{ topic: string; partition: number; position: number }>(
        `select distinct on (topic, partition) topic, partition, next_offset as position from ${schema}.ledger
         order by topic, partition, epoch desc`,
      ),
      pool.query<{ waiting: number }>(`select count(*) as waiting from ${schema}.outbox`),
    ])
    const positions = new Map(rows.map(({ topic, partition, position }) => [`${topic}/${partition}`, position]))
    for (const topic of topics)
      for (const [partition, end] of (ends.get(topic) ?? []).entries())
        rest.behind += Math.max(0, end - (positions.get(`${topic}/${partition}`) ?? 0))
    rest.unpublished += outbox.rows[0]?.waiting ?? 0
  }
  const { rows } = await pool.query<{ held: number }>(`select count(*) as held from ${orders.schema}.outbox`)
  rest.held = rows[0]?.held ?? 0
  return rest
}
