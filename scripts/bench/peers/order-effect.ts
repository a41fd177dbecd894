import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import type { KafkaMessage, Producer } from 'kafkajs'
import type pg from 'pg'
import { appendOutbox, once } from './once.ts'

export interface OrderPlaced {
  orderId: string
  customerId: string
  currency: string
  totalMinor: number
  placedAt: number
}

export interface EffectOptions {
  registry: SchemaRegistry
  /** Schema id of the published events. */
  schemaId: number
  pool: pg.Pool
  producer: Producer
  output: string
}

/** The usual first version: a transaction with inbox and outbox per event, then a publish. */
export function orderEffect({ registry, schemaId, pool, producer, output }: EffectOptions) {
  return async ({ value, headers }: KafkaMessage): Promise<void> => {
    if (!value) return
    const event = (await registry.decode(value)) as OrderPlaced
    const eventId = String(headers?.['ce_id'])
    const { orderId } = event
    const authorized = await registry.encode(schemaId, authorizationOf(event))
    const fresh = await once(pool, eventId, async (client) => {
      await writeOrder(client, event)
      await appendOutbox(client, { eventId, topic: output, key: orderId, value: authorized })
    })
    if (!fresh) return
    const message = { key: orderId, value: authorized, headers: { ce_id: eventId } }
    await producer.send({ topic: output, acks: -1, messages: [message] })
  }
}

/** The event published for an order. */
export const authorizationOf = ({ orderId, totalMinor, currency, placedAt }: OrderPlaced) => ({
  orderId,
  authorizationId: `auth_${orderId}`,
  amountMinor: totalMinor,
  currency,
  authorizedAt: placedAt,
})

/** Writes the order's row, which counts its writes. */
export async function writeOrder(database: Pick<pg.ClientBase, 'query'>, order: OrderPlaced): Promise<void> {
  await database.query({
    name: 'order',
    text: `insert into "order" (order_id, customer_id, currency, total_minor, placed_at, times)
           values ($1, $2, $3, $4, $5, 1) on conflict (order_id) do update set times = "order".times + 1`,
    values: [order.orderId, order.customerId, order.currency, order.totalMinor, new Date(order.placedAt)],
  })
}
