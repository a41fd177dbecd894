import type { ApiClient } from '../../producers/direct/api-client.ts'
import { sendAll } from '../../producers/direct/send-all.ts'
import type { OrderPlaced } from '../../schemas/generated/events.ts'

export interface Placed {
  orderId: string
  /** When it was accepted, UTC epoch ms. */
  placedAt: number
}

/** A way by which orders enter the pipeline. */
export interface OrderDoor {
  /** Places an order once, however often this is called with the same key. */
  place(order: OrderPlaced, key: string): Promise<Placed>
  /** Orders in flight. They are committed in groups, so that more are faster, up to a limit. */
  readonly maxOutstanding: number
}

export interface PlaceOptions {
  door: OrderDoor
  api: Pick<ApiClient, 'requestCancellation'>
  orderAt: (index: number) => OrderPlaced
  seed: number
  /** Indexes of the orders to place, `[from, to)`. */
  from: number
  to: number
  signal: AbortSignal
  onPlaced(order: Placed): void
}

/** Every 50th order is cancelled right after it was placed, unless it was rejected by then. */
const cancelEvery = 50

/** Places orders through a door and cancels some through the API. Resolves when all are accepted. Idempotent. */
export async function placeOrders({
  door,
  api,
  orderAt,
  seed,
  from,
  to,
  signal,
  onPlaced,
}: PlaceOptions): Promise<void> {
  const place = async (index: number) => {
    const key = `demo-${seed}-${index}`
    const placed = await door.place(orderAt(index), key)
    onPlaced(placed)
    if (index % cancelEvery === cancelEvery - 1)
      await api.requestCancellation(placed.orderId, 'changed my mind', `${key}-cancel-${placed.orderId}`)
  }
  await sendAll(indexes(from, to), place, { maxOutstanding: door.maxOutstanding, signal })
}

function* indexes(from: number, to: number): Generator<number> {
  for (let index = from; index < to; index++) yield index
}
