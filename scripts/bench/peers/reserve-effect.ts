import type { KafkaMessage } from 'kafkajs'
import type { EffectOptions } from './order-effect.ts'
import { appendOutbox, once } from './once.ts'

interface OrderPlaced {
  orderId: string
  placedAt: number
  lines: { sku: string; quantity: number }[]
}

interface StockRow {
  sku: string
  on_hand: string
}

/**
 * The usual way to reserve stock: each event's transaction locks the rows of its articles, sorted by name to avoid
 * deadlocks.
 */
export function reserveEffect({ registry, schemaId, pool, producer, output }: EffectOptions) {
  return async ({ value, headers }: KafkaMessage): Promise<void> => {
    if (!value) return
    const { orderId, placedAt, lines } = (await registry.decode(value)) as OrderPlaced
    const eventId = String(headers?.['ce_id'])
    const [skus, quantities] = [lines.map(({ sku }) => sku), lines.map(({ quantity }) => quantity)]
    const reserved = await registry.encode(schemaId, {
      orderId,
      lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
      reservedAt: placedAt,
    })
    const fresh = await once(pool, eventId, async (client) => {
      const { rows } = await client.query<StockRow>({
        name: 'lock',
        text: 'select sku, on_hand from stock where sku = any($1) order by sku for update',
        values: [skus],
      })
      const onHand = new Map(rows.map((row) => [row.sku, Number(row.on_hand)]))
      const short = lines.find(({ sku, quantity }) => (onHand.get(sku) ?? 0) < quantity)
      if (short) throw new Error(`${short.sku} is out of stock, although it should be plentiful`)
      await client.query({
        name: 'reserve',
        text: `update stock set on_hand = on_hand - line.quantity, reserved = reserved + line.quantity
               from unnest($1::text[], $2::int[]) as line (sku, quantity) where stock.sku = line.sku`,
        values: [skus, quantities],
      })
      await client.query({
        name: 'reservation',
        text: `insert into reservation (order_id, phase, skus, quantities) values ($1, 'reserved', $2, $3)`,
        values: [orderId, skus, quantities],
      })
      await appendOutbox(client, { eventId, topic: output, key: orderId, value: reserved })
    })
    if (!fresh) return
    const message = { key: orderId, value: reserved, headers: { ce_id: eventId } }
    await producer.send({ topic: output, acks: -1, messages: [message] })
  }
}
