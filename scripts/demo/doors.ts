import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import { gather } from '../../infra/linger/gather.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { QueueServer } from '../../infra/queue-settings.ts'
import { messageKey, sourceOf } from '../../producers/bridge/message-key.ts'
import type { ApiClient } from '../../producers/direct/api-client.ts'
import { newOrderOf } from '../../producers/direct/api-client.ts'
import { ordersSchema } from '../../producers/orders-api/migrations.ts'
import { toQueue } from '../produce/to-queue.ts'
import { demoQueue } from './demo-bridge.ts'
import type { OrderDoor, Placed } from './place-orders.ts'

export const apiDoor = (api: ApiClient): OrderDoor => ({
  async place(order, key) {
    const { orderId, placedAt } = await api.placeOrder(newOrderOf(order), key)
    return { orderId, placedAt: Date.parse(placedAt) }
  },
  maxOutstanding: 32,
})

export interface QueueDoorOptions {
  config: Config
  server: QueueServer
  pool: Pool
  signal: AbortSignal
}

/** A message that is no order after this time is not going to be one, ms. */
const patienceMs = 120_000

/** Sends orders to the queue. Nothing comes back by it, so the stored answers tell which order a message has become. */
export async function openQueueDoor({
  config,
  server,
  pool,
  signal,
}: QueueDoorOptions): Promise<OrderDoor & { stop(): Promise<void> }> {
  const queue = demoQueue[server]
  const destination = await toQueue({ config, server, queue })
  const source = sourceOf({ door: server, queue })
  const answers = gather(async (keys: string[]): Promise<(Placed | undefined)[]> => {
    const { rows } = await pool.query<{ key: string; orderId: string; placedAt: string }>(
      `select key, reply->'body'->>'orderId' as "orderId", reply->'body'->>'placedAt' as "placedAt"
       from "${ordersSchema(config.namespace)}".idempotency where key = any($1)`,
      [keys],
    )
    const found = new Map(rows.map(({ key, orderId, placedAt }) => [key, { orderId, placedAt: Date.parse(placedAt) }]))
    return keys.map((key) => found.get(key))
  })
  return {
    async place(data, id) {
      await destination.send({ type: 'OrderPlaced', id, data })
      for (const deadline = performance.now() + patienceMs; performance.now() < deadline; ) {
        const placed = await answers.add(messageKey(source, id))
        if (placed) return placed
        await delay(100, undefined, { signal })
      }
      throw new TallyError(
        'UNREACHABLE',
        `Message ${id} in the queue ${queue} has become no order: see the bridge's log`,
      )
    },
    maxOutstanding: 200,
    stop: () => destination.stop(),
  }
}
