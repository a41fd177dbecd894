import { expect, test } from '@jest/globals'
import { inTransaction } from '../../infra/postgres/transaction.ts'
import { openTables } from '../testing/open-tables.ts'
import type { Reservation, Stock } from './decide-inventory.ts'
import { reservationTable } from './reservation-table.ts'
import { stockTable } from './stock-table.ts'

const strange = ['tea', '{"a",\\b}', "quote ' and space", 'Ü🚚', 'NULL', '', 'line\nbreak']
const lines = strange.map((sku, index) => ({ sku, quantity: index + 1 }))

test('reservations are read back as they were written, and written over', async () => {
  await using tables = await openTables('inventory')
  const { pool } = tables
  const reservations = new Map<string, Reservation>([
    ['closed', { phase: 'closed' }],
    ['scheduled', { phase: 'scheduled' }],
    ['rejected', { phase: 'rejected' }],
    ['reserved', { phase: 'reserved', lines }],
    ['released', { phase: 'released', lines: lines.slice(0, 1) }],
    ['shipped', { phase: 'shipped', lines: lines.slice(2) }],
  ])
  const orderIds = [...reservations.keys()]
  await reservationTable.save(pool, reservations)
  expect(await reservationTable.load(pool, [...orderIds, 'never seen'])).toEqual(reservations)

  const states = [...reservations.values()]
  const shifted = new Map(orderIds.map((orderId, index) => [orderId, states.at(index - 1) as Reservation]))
  await reservationTable.save(pool, shifted)
  expect(await reservationTable.load(pool, orderIds)).toEqual(shifted)
})

const stockOf = (onHand: number, reserved = 0, shipped = 0): Stock => ({
  onHand,
  reserved,
  shipped,
  replenished: onHand + reserved + shipped,
})

test('stock is read back as it was written, and written over', async () => {
  await using tables = await openTables('inventory')
  const { pool } = tables
  await stockTable.save(pool, new Map(strange.map((sku, index) => [sku, stockOf(index)])))
  const moved = new Map(strange.map((sku, index) => [sku, stockOf(index, 1, 5_000_000_000)]))
  await stockTable.save(pool, moved)
  expect(await stockTable.lock(pool, [...strange, 'never arrived'])).toEqual(moved)
})

test('no unit can be made, lost or owed', async () => {
  await using tables = await openTables('inventory')
  const refused = (stock: Stock) =>
    expect(stockTable.save(tables.pool, new Map([['tea', stock]]))).rejects.toMatchObject({ code: '23514' })
  await refused(stockOf(-1, 1))
  await refused(stockOf(1, -1))
  await refused(stockOf(1, 0, -1))
  await refused({ ...stockOf(1), replenished: 2 })
})

test('lanes that want the same articles in any order take turns', async () => {
  await using tables = await openTables('inventory')
  const { pool } = tables
  const skus = ['a', 'b', 'c', 'd']
  await stockTable.save(pool, new Map(skus.map((sku) => [sku, stockOf(0)])))
  const deliver = (wanted: readonly string[]) =>
    inTransaction(pool, async (tx) => {
      const stock = await stockTable.lock(tx, wanted)
      await stockTable.save(tx, new Map([...stock].map(([sku, { onHand }]) => [sku, stockOf(onHand + 1)])))
    })
  await Promise.all(Array.from({ length: 40 }, (_, n) => deliver(n % 2 ? skus : skus.toReversed())))
  expect(await stockTable.lock(pool, skus)).toEqual(new Map(skus.map((sku) => [sku, stockOf(40)])))
})
