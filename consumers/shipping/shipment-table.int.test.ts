import { expect, test } from '@jest/globals'
import { openTables } from '../testing/open-tables.ts'
import { shipTo } from '../testing/events.ts'
import type { Shipment } from './decide-shipping.ts'
import { shipmentTable } from './shipment-table.ts'

const consignment = { shipTo: { ...shipTo, recipient: 'O\'Neill "Ünal" {,}', postalCode: '' }, units: 3 }
const shipments = new Map<string, Shipment>([
  ['order only', { phase: 'gathering', authorized: false, reserved: false, consignment }],
  ['money only', { phase: 'gathering', authorized: true, reserved: false }],
  ['order and goods', { phase: 'gathering', authorized: false, reserved: true, consignment }],
  ['scheduling', { phase: 'scheduling' }],
  ['scheduled', { phase: 'scheduled' }],
  ['cancelled', { phase: 'cancelled' }],
  ['rejected', { phase: 'rejected' }],
])

test('shipments are read back as they were written, and written over', async () => {
  await using tables = await openTables('shipping')
  const { pool } = tables
  const orderIds = [...shipments.keys()]
  await shipmentTable.save(pool, shipments)
  expect(await shipmentTable.load(pool, [...orderIds, 'never seen'])).toEqual(shipments)

  const states = [...shipments.values()]
  const shifted = new Map(orderIds.map((orderId, index) => [orderId, states.at(index - 1) as Shipment]))
  await shipmentTable.save(pool, shifted)
  expect(await shipmentTable.load(pool, orderIds)).toEqual(shifted)
})

test('no address is kept once the carrier knows it', async () => {
  await using tables = await openTables('shipping')
  const { pool } = tables
  await shipmentTable.save(pool, new Map([['o', shipments.get('order only') as Shipment]]))
  await shipmentTable.save(pool, new Map([['o', { phase: 'scheduling' }]]))
  const { rows } = await pool.query('select recipient, street, city, postal_code, country from shipment')
  expect(rows).toEqual([{ recipient: null, street: null, city: null, postal_code: null, country: null }])
})
