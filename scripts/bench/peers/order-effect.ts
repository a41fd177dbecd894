import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import type { KafkaMessage, Producer } from 'kafkajs'
import type pg from 'pg'

interface OrderPlaced {
  orderId: string
  customerId: string
  currency: string
  totalMinor: number
  placedAt: number
}

export interface OrderEffectOptions {
  registry: SchemaRegistry
  /** Of what is published. */
  schemaId: number
  pool: pg.Pool
  producer: Producer
  output: string
}

/** What one writes first: a transaction with an inbox and an outbox for each event, then the event is published. */
export function orderEffect({ registry, schemaId, pool, producer, output }: OrderEffectOptions) {
  return async ({ value, headers }: KafkaMessage): Promise<void> => {
    if (!value) return
    const event = (await registry.decode(value)) as OrderPlaced
    const eventId = String(headers?.['ce_id'])
    const { orderId, currency } = event
    const authorized = await registry.encode(schemaId, {
      orderId,
      authorizationId: `auth_${orderId}`,
      amountMinor: event.totalMinor,
      currency,
      authorizedAt: event.placedAt,
    })
    if (!(await store(pool, { eventId, event, output, authorized }))) return
    const message = { key: orderId, value: authorized, headers: { ce_id: eventId } }
    await producer.send({ topic: output, acks: -1, messages: [message] })
  }
}

interface Effect {
  eventId: string
  event: OrderPlaced
  output: string
  authorized: Buffer
}

/** @returns false for an event that was handled before */
async function store(pool: pg.Pool, { eventId, event, output, authorized }: Effect): Promise<boolean> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const { rowCount } = await client.query({
      name: 'inbox',
      text: 'insert into inbox (event_id) values ($1) on conflict do nothing',
      values: [eventId],
    })
    if (rowCount) {
      await client.query({
        name: 'order',
        text: `insert into "order" (order_id, customer_id, currency, total_minor, placed_at, times)
               values ($1, $2, $3, $4, $5, 1) on conflict (order_id) do update set times = "order".times + 1`,
        values: [event.orderId, event.customerId, event.currency, event.totalMinor, new Date(event.placedAt)],
      })
      await client.query({
        name: 'outbox',
        text: 'insert into outbox (event_id, topic, key, value) values ($1, $2, $3, $4)',
        values: [eventId, output, event.orderId, authorized],
      })
    }
    await client.query('commit')
    return rowCount === 1
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}
