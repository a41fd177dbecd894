import { schemaName } from '../../../consumers/runtime/load-consumer.ts'
import type { Ground } from '../benchmark.ts'
import { patiently } from '../growth/fill.ts'

/** The rows of $1 orders that have ended, in the tables that grow with orders, by service. */
const inserts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  orders: {
    placed_order: `select id, uuidv7(age), 'C-' || n % 2000, 'EUR', 4990,
      '[{"sku":"tea","quantity":1,"unitPriceMinor":4990,"amountMinor":4990}]'::json, '{"country":"DE"}'::json, now() + age`,
  },
  payment: { payment: `select id, 'captured', null, 'auth_' || id, 4990, 'EUR'` },
  inventory: { reservation: `select id, 'shipped', '{tea}', '{1}'` },
  shipping: { shipment: `select id, 'scheduled'` },
  notifications: { mail: `select id, 'shipped', 'Your order is on its way', id, now() + age` },
  'order-status': {
    order_status: `select id, 'completed', null, '{OrderPlaced,PaymentAuthorized,StockReserved,ShipmentScheduled,PaymentCaptured}',
      'C-' || n % 2000, 'EUR', 4990, now() + age, now() + age, now() + age, 5`,
    timeline: `select id, seq, id, 'OrderPlaced', now() + age, 'orders', 0, n, 'Order of 49.90 EUR'`,
  },
}
const timelineEntries = 5

/**
 * Fills the tables of the deployed services with orders that have ended, as they are before autovacuum has seen them: no
 * statistics. The ids of their events are not in the inboxes; `growth` shows what those cost.
 */
export async function placeOrdersBefore(
  { sandbox, signal }: Pick<Ground, 'sandbox' | 'signal'>,
  orders: number,
): Promise<void> {
  for (const [service, tables] of Object.entries(inserts)) {
    await patiently(sandbox, schemaName(sandbox.namespace, service), async (client) => {
      for (const [table, select] of Object.entries(tables)) {
        signal.throwIfAborted()
        await client.query(`alter table ${table} set (autovacuum_enabled = off)`)
        const entries = table === 'timeline' ? `, generate_series(1, ${timelineEntries}) as seq` : ''
        await client.query(
          `insert into ${table} ${select}
           from (select n, age, uuidv7(age)::text as id
             from generate_series($1::bigint, 1, -1) as n, make_interval(secs => n * -0.5) as age) as earlier${entries}`,
          [orders],
        )
      }
      await client.query('checkpoint')
    })
  }
}
