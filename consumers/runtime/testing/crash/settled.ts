import type { EventType } from '../../../../schemas/generated/events.ts'
import { topicName, topicOf } from '../../../../schemas/topics.ts'
import type { ConsumerDefinition } from '../../handler.ts'
import type { TestBench } from '../test-bench.ts'

/** Checks whether a consumer has nothing left to do. */
export interface Settling extends AsyncDisposable {
  /** The ledger has reached the ends of the consumer's topics; no event, call or due timer waits. */
  settled(): Promise<boolean>
}

export async function watchSettling<State, Row>(
  { sandbox: { kafka, namespace }, pool }: TestBench,
  { handlers }: ConsumerDefinition<State, Row>,
): Promise<Settling> {
  const admin = kafka.admin()
  await admin.connect()
  const topics = [...new Set((Object.keys(handlers) as EventType[]).map(topicOf))]
  return {
    async settled() {
      const { rows } = await pool.query<{ place: string }>(
        `select distinct on (topic, partition) topic || '/' || partition || '=' || next_offset as place
         from ledger order by topic, partition, epoch desc`,
      )
      const reached = new Set(rows.map(({ place }) => place))
      for (const topic of topics) {
        const ends = await admin.fetchTopicOffsets(topicName(namespace, topic))
        if (!ends.every(({ partition, high }) => reached.has(`${topic.name}/${partition}=${high}`))) return false
      }
      // Last, because waiting rows are created in the transaction that moves the ledger
      const { rowCount: waiting } = await pool.query(
        `select from outbox_batch union all select from call union all select from timer where due_at <= now() limit 1`,
      )
      return waiting === 0
    },
    [Symbol.asyncDispose]: () => admin.disconnect(),
  }
}
