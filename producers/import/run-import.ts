import type { ApiClient } from '../direct/api-client.ts'
import type { OutgoingEvent, Publisher } from '../direct/publisher.ts'
import { sendAll } from '../direct/send-all.ts'
import { awaitDeliveries } from './await-deliveries.ts'
import type { DeliveryWait } from './await-deliveries.ts'
import type { ImportPlan } from './plan-import.ts'

export interface ImportTarget extends DeliveryWait {
  api: Pick<ApiClient, 'putProduct'>
  publisher: Publisher
}

/**
 * Imports products, stock and orders into the pipeline. Orders are sent only after inventory has processed the deliveries:
 * they use different topics, and an order that overtakes its stock would be rejected. Idempotent.
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
  await awaitDeliveries(target)
  await phase('Orders', 'events', orders, publish, 5_000)
}
