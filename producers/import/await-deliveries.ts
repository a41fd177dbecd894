import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { TallyError } from '../../infra/errors.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { withAdmin } from '../../infra/kafka/admin.ts'
import { readHighWatermarks, readOpenTransactions } from '../../infra/kafka/reading/open-transactions.ts'
import { readCurrent } from '../../infra/topic-generations/generation-table.ts'
import { prepared } from '../../infra/postgres/transaction.ts'
import { inGeneration, topicName, topicOf } from '../../schemas/topics.ts'

/** Where an import waits for inventory, and how it reports. */
export interface DeliveryWait {
  kafka: Kafka
  /** A pool whose search path is the schema of the inventory group. */
  inventory: Pool
  namespace: string
  /** Ends the import between two steps; the next run completes it. */
  signal: AbortSignal
  /** Called at the start of every phase; the returned function receives its progress. */
  onPhase(label: string, total: number, unit: string): { update(done: number): void; finish(): void }
}

const pollEveryMs = 50
/** Longer than a replica needs to start, or to take over the lanes of a lost one. */
const patienceMs = 60_000

const positions = prepared<{ partition: number; next_offset: number }>(
  'positions',
  'select partition, max(next_offset) as next_offset from ledger where topic = $1 group by partition',
)

/**
 * Waits until inventory has processed every delivery that is on the topic now. What counts are the high watermarks: behind
 * the open transaction of another producer, deliveries are on the topic although nobody can read them yet.
 * @throws TallyError UNREACHABLE when its position does not advance for a minute, with the transaction that holds it up
 */
export async function awaitDeliveries({ kafka, inventory, namespace, signal, onPhase }: DeliveryWait): Promise<void> {
  const topic = topicOf('StockReplenished')
  const generation = (await readCurrent(inventory, namespace))?.number ?? 1
  const name = inGeneration(topic.name, generation)
  const onBroker = topicName(namespace, topic, generation)
  const ends = await readEnds(kafka, onBroker)
  const total = ends.reduce((sum, { end }) => sum + end, 0)
  const progress = onPhase('Inventory processes the deliveries', total, 'offsets')
  let last = { taken: -1, at: performance.now() }
  for (;;) {
    const next = new Map((await positions(inventory, name)).map((row) => [row.partition, row.next_offset]))
    const taken = ends.reduce((sum, { partition, end }) => sum + Math.min(end, next.get(partition) ?? 0), 0)
    progress.update(taken)
    if (taken === total) return progress.finish()
    if (taken > last.taken) last = { taken, at: performance.now() }
    if (performance.now() - last.at > patienceMs) {
      throw new TallyError(
        'UNREACHABLE',
        `Inventory has processed ${taken} of ${total} offsets of the topic ${topic.name} and makes no progress: ${await whyNot(kafka, onBroker, ends)}. No order was sent. Import again when inventory runs; nothing is duplicated`,
      )
    }
    await delay(pollEveryMs, undefined, { signal })
  }
}

interface End {
  partition: number
  end: number
}

async function readEnds(kafka: Kafka, topic: string): Promise<End[]> {
  const partitions = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic))
  const places = partitions.map(({ partition }) => ({ topic, partition }))
  const ends = await readHighWatermarks(kafka, places)
  return places.map(({ partition }) => ({ partition, end: ends.get(`${topic}/${partition}`) ?? 0 }))
}

async function whyNot(kafka: Kafka, topic: string, ends: readonly End[]): Promise<string> {
  const places = ends.map(({ partition }) => ({ topic, partition }))
  const [open] = await readOpenTransactions(kafka, places).catch(() => [])
  return open
    ? `an open transaction of another producer at offset ${open.offset} of partition ${open.partition} holds the others back until it is committed or aborted`
    : 'see `npm run stack -- status`'
}
