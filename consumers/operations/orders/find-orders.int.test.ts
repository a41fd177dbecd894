import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { quoteIdentifier } from '../../../infra/postgres/identifiers.ts'
import { migrate } from '../../../infra/postgres/migrate.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { ordersMigrations, ordersSchema } from '../../../producers/orders-api/migrations.ts'
import { createSandbox } from '../../../schemas/testing/sandbox.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import { consumerMigrations, schemaName } from '../../runtime/load-consumer.ts'
import { fillOrders } from '../testing/fill.ts'
import { findOrders } from './find-orders.ts'
import type { OrderSearch } from './find-orders.ts'

const orders = 20_000
let sandbox: Sandbox
let pool: Pool
let schema: string
beforeAll(async () => {
  sandbox = createSandbox()
  const { config, log, namespace } = sandbox
  const { url } = config.postgres
  const status = schemaName(namespace, 'order-status')
  schema = quoteIdentifier(status)
  await migrate({ url, schema: status, folders: consumerMigrations('order-status'), log })
  await migrate({ url, schema: ordersSchema(namespace), folders: ordersMigrations, log })
  pool = createPool({ url, name: namespace, max: 1, log })
  await fillOrders(pool, schema, orders)
})
afterAll(async () => {
  await pool.end()
  await sandbox.close()
})

/** Rows that were read from end to end so far: by sequential scans of the tables of order-status. */
async function scanned(): Promise<number> {
  await pool.query('select pg_stat_force_next_flush()')
  const { rows } = await pool.query<{ rows: number }>(
    `select sum(seq_tup_read)::float8 as rows from pg_stat_user_tables where schemaname = $1`,
    [schema.replaceAll('"', '')],
  )
  return rows[0]?.rows ?? 0
}

test.each<[string, OrderSearch, number, string]>([
  ['an id', { text: 'many-777' }, 1, 'many-777'],
  ['a customer', { text: 'M-42' }, 20, 'many-19042'],
  ['a customer and a status', { text: 'M-40', status: 'rejected' }, 20, 'many-19040'],
  ['a tracking number', { text: 'TLM4711' }, 1, 'many-4711'],
  ['nothing that is known', { text: 'TLM0' }, 0, ''],
])(
  'a search for %s finds the newest first, and reads no table from end to end',
  async (_what, search, found, first) => {
    const before = await scanned()
    const page = await findOrders(sandbox.config, pool, search)
    expect(page.orders).toHaveLength(found)
    expect(page.orders[0]?.orderId ?? '').toBe(first)
    expect(await scanned()).toBe(before)
  },
)

test('without a text the newest come page by page, each once; the table is read once a page', async () => {
  const before = await scanned()
  const seen: string[] = []
  let after: string | undefined
  for (let page = 0; page < 3; page++) {
    const found = await findOrders(sandbox.config, pool, { status: 'completed', after })
    seen.push(...found.orders.map(({ orderId }) => orderId))
    after = found.next ?? undefined
  }
  const expected = Array.from({ length: orders }, (_, index) => orders - index).filter((n) => n % 10 !== 0)
  expect(seen).toEqual(expected.slice(0, 150).map((n) => `many-${n}`))
  expect((await scanned()) - before).toBe(3 * orders)
})

test('the beginning of an id finds all orders with it, if no order has just that id', async () => {
  const page = await findOrders(sandbox.config, pool, { text: 'many-1999' })
  expect(page.orders.map(({ orderId }) => orderId)).toEqual(['many-1999'])
  const several = await findOrders(sandbox.config, pool, { text: 'many-' })
  expect(several.orders).toHaveLength(50)
  expect(several.next).not.toBeNull()
})
