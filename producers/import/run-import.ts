import type { ApiClient } from '../direct/api-client.ts'
import type { OutgoingEvent, Publisher } from '../direct/publisher.ts'
import { sendAll } from '../direct/send-all.ts'
import { awaitDeliveries } from './await-deliveries.ts'
import type { DeliveryWait } from './await-deliveries.ts'
import { missingStock } from './compare-orders.ts'
import type { Delivery, ImportBook } from './import-book.ts'
import type { PlannedOrder, Product } from './plan-import.ts'

export interface ImportTarget extends DeliveryWait {
  api: Pick<ApiClient, 'putProduct'>
  publisher: Publisher
}

export interface ImportWork {
  products: readonly Product[]
  /** Orders that were not imported before. */
  fresh: readonly PlannedOrder[]
  /** Units given, by article. */
  stock: ReadonlyMap<string, number>
  /** Whether to deliver at least what all imported orders need. */
  enough: boolean
  /** UTC epoch ms */
  importedAt: number
}

/** The deliveries of an import: what is missing to the stock given or, if that is wanted, to what the orders need. */
export async function deliveriesOf(
  { fresh, stock, enough, importedAt }: ImportWork,
  book: Pick<ImportBook, 'units'>,
): Promise<Delivery[]> {
  const { ordered, delivered } = await book.units()
  for (const { event } of fresh)
    for (const { sku, quantity } of event.data.lines) ordered.set(sku, (ordered.get(sku) ?? 0) + quantity)
  return missingStock(stock, enough ? ordered : new Map(), delivered, importedAt)
}

/**
 * Imports products, stock and orders into the pipeline, and completes what an import that was killed has left. Orders are sent
 * only after inventory has processed the deliveries: they use different topics, and an order that overtakes its stock would be
 * rejected. Everything is recorded before it is sent and sent under the same ids again, so repeating it changes nothing.
 * @throws TallyError UNREACHABLE when inventory makes no progress
 */
export async function runImport(work: ImportWork, book: ImportBook, target: ImportTarget): Promise<void> {
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

  await book.record(work.fresh, await deliveriesOf(work, book))
  const { orders, deliveries } = await book.unsent()
  await phase('Products', 'products', work.products, ({ sku, product }) => api.putProduct(sku, product), 16)
  await phase('Deliveries', 'events', deliveries, publish, 5_000)
  if (deliveries.length > 0) await awaitDeliveries(target)
  await phase('Orders', 'events', orders, publish, 5_000)
  await book.markSent()
}
