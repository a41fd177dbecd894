import { expect, test } from '@jest/globals'
import { createSandbox } from '../../../schemas/testing/sandbox.ts'
import { deployDatabase } from '../../../consumers/operations/deploy/steps.ts'
import { placeOrdersBefore } from './orders-before.ts'

test('every table that grows with orders has the rows of those before, and no statistics', async () => {
  await using sandbox = createSandbox()
  const { config, log, namespace, pool } = sandbox
  await deployDatabase(config, log)
  await placeOrdersBefore({ sandbox, signal: new AbortController().signal }, 50)
  const tables = ['orders.placed_order', 'payment.payment', 'inventory.reservation', 'shipping.shipment']
  for (const table of [...tables, 'notifications.mail', 'order_status.order_status', 'order_status.timeline']) {
    const { rows } = await pool.query(
      `select (select count(*) from ${namespace}${table}) as rows, reltuples as estimated from pg_class where oid = $1::regclass`,
      [`${namespace}${table}`],
    )
    expect({ table, ...rows[0] }).toEqual({ table, rows: table.endsWith('timeline') ? 250 : 50, estimated: -1 })
  }
})
