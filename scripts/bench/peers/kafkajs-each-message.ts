// What one writes first: eachMessage, a transaction with an inbox and an outbox for each event, then the event is published.
import kafkajs from 'kafkajs'
import pg from 'pg'
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import { readOrder, startMeasuring } from '../measured.ts'

const order = readOrder<{
  brokers: string[]
  registryUrl: string
  databaseUrl: string
  schema: string
  input: string
  output: string
  subject: string
  events: number
  /** Partitions handled at once. */
  atOnce: number
}>()
const kafka = new kafkajs.Kafka({ brokers: order.brokers, clientId: 'peer', logLevel: kafkajs.logLevel.NOTHING })
const registry = new SchemaRegistry({ host: order.registryUrl })
const pool = new pg.Pool({
  connectionString: order.databaseUrl,
  options: `-c search_path=${order.schema}`,
  max: order.atOnce,
})
const producer = kafka.producer({ allowAutoTopicCreation: false })
const consumer = kafka.consumer({ groupId: `${order.input}-peer` })
const schemaId = await registry.getLatestSchemaId(order.subject)
const done = Promise.withResolvers<void>()
let handled = 0
let finish: ReturnType<typeof startMeasuring> | undefined

interface OrderPlaced {
  orderId: string
  customerId: string
  currency: string
  totalMinor: number
  placedAt: number
}

/** @returns false for an event that was handled before */
async function takeEffect(eventId: string, event: OrderPlaced, value: Buffer): Promise<boolean> {
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
        values: [eventId, order.output, event.orderId, value],
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

consumer.on(consumer.events.GROUP_JOIN, () => (finish ??= startMeasuring()))
await Promise.all([producer.connect(), consumer.connect()])
await consumer.subscribe({ topics: [order.input], fromBeginning: true })
await consumer.run({
  partitionsConsumedConcurrently: order.atOnce,
  eachMessage: async ({ message: { value, headers } }) => {
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
    if (await takeEffect(eventId, event, authorized)) {
      const message = { key: orderId, value: authorized, headers: { ce_id: eventId } }
      await producer.send({ topic: order.output, acks: -1, messages: [message] })
    }
    if (++handled === order.events) done.resolve()
  },
})
await done.promise
finish?.(order.events)
await consumer.disconnect()
await Promise.all([producer.disconnect(), pool.end()])
