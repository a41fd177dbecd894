import type { OrderPlaced } from '../../schemas/generated/events.ts'
import type { Accepted, OrdersClient } from './orders-client.ts'

/** Requests under way at once: enough to keep the API busy, few enough that each is answered in a few milliseconds. */
const concurrency = 32

/** Every so many-th order is cancelled right after it was placed. */
const cancelEvery = 50

export interface PlaceOptions {
  client: OrdersClient
  orderAt: (index: number) => OrderPlaced
  seed: number
  /** Indexes of the orders to place, `[from, to)`. */
  from: number
  to: number
  onPlaced(order: Accepted): void
}

/** Places orders through the API and cancels some; resolves when all are accepted. Repeating it places nothing new. */
export async function placeOrders({ client, orderAt, seed, from, to, onPlaced }: PlaceOptions): Promise<void> {
  let next = from
  const worker = async () => {
    while (next < to) {
      const index = next++
      const key = `demo-${seed}-${index}`
      const accepted = await client.placeOrder(orderAt(index), key)
      onPlaced(accepted)
      if (index % cancelEvery === cancelEvery - 1) {
        await client.requestCancellation(accepted.orderId, 'changed my mind', `${key}-cancel`)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, to - from) }, worker))
}
