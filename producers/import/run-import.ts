import type { Kafka } from 'kafkajs'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { ApiClient } from '../direct/api-client.ts'
import type { OutgoingEvent, Publisher } from '../direct/publisher.ts'
import { sendAll } from '../direct/send-all.ts'
import { deliveriesTaken } from './deliveries-taken.ts'
import type { ImportPlan } from './plan-import.ts'

export interface ImportTarget {
  api: Pick<ApiClient, 'putProduct'>
  publisher: Publisher
  kafka: Kafka
  /** Sees the schema of the inventory group. */
  inventory: Pool
  namespace: string
  /** Ends the import between two steps of it; running it again completes it. */
  signal: AbortSignal
  /** Called at the start of every phase; the result is told how far the phase is. */
  onPhase(label: string, total: number, unit: string): { update(done: number): void; finish(): void }
}

/**
 * Brings products, stock and orders into the pipeline. Orders follow only when inventory has taken the deliveries: the two
 * travel on different topics, and an order that overtook its stock would be rejected. Running it again changes nothing.
 * @throws TallyError UNREACHABLE when inventory makes no progress
 */
export async function runImport(
  { products, deliveries, orders }: Omit<ImportPlan, 'problems'>,
  target: ImportTarget,
): Promise<void> {
  const { api, publisher, signal, onPhase } = target
  const phase = async <T>(
    label: string,
    unit: string,
    items: readonly T[],
    send: (item: T) => Promise<void>,
    maxOutstanding: number,
  ) => {
    const progress = onPhase(label, items.length, unit)
    await sendAll(items, send, { maxOutstanding, signal, onProgress: (done) => progress.update(done) })
    signal.throwIfAborted()
    progress.finish()
  }
  const publish = (event: OutgoingEvent) => publisher.publish([event])

  await phase('Products', 'products', products, ({ sku, product }) => api.putProduct(sku, product), 16)
  await phase('Deliveries', 'events', deliveries, publish, 5_000)
  await deliveriesTaken(target)
  await phase('Orders', 'events', orders, publish, 5_000)
}
