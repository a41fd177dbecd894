import type { ApiClient } from '../../producers/direct/api-client.ts'
import { newOrderOf } from '../../producers/direct/api-client.ts'
import { sendAll } from '../../producers/direct/send-all.ts'
import type { OrderPlaced } from '../../schemas/generated/events.ts'

export interface Placed {
  orderId: string
  /** When the API accepted it, UTC epoch ms. */
  placedAt: number
}

export interface PlaceOptions {
  api: Pick<ApiClient, 'placeOrder' | 'requestCancellation'>
  orderAt: (index: number) => OrderPlaced
  seed: number
  /** Indexes of the orders to place, `[from, to)`. */
  from: number
  to: number
  signal: AbortSignal
  onPlaced(order: Placed): void
}

/** Requests in flight. The API commits in groups, so that more requests are faster, up to a limit. */
const maxOutstanding = 32

/** Every 50th order is cancelled right after it was placed, unless it was rejected by then. */
const cancelEvery = 50

/** Places orders through the API and cancels some. Resolves when all are accepted. Idempotent. */
export async function placeOrders({ api, orderAt, seed, from, to, signal, onPlaced }: PlaceOptions): Promise<void> {
  const place = async (index: number) => {
    const key = `demo-${seed}-${index}`
    const { orderId, placedAt } = await api.placeOrder(newOrderOf(orderAt(index)), key)
    onPlaced({ orderId, placedAt: Date.parse(placedAt) })
    if (index % cancelEvery === cancelEvery - 1)
      await api.requestCancellation(orderId, 'changed my mind', `${key}-cancel`)
  }
  await sendAll(indexes(from, to), place, { maxOutstanding, signal })
}

function* indexes(from: number, to: number): Generator<number> {
  for (let index = from; index < to; index++) yield index
}
