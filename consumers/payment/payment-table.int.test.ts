import { expect, test } from '@jest/globals'
import { openTables } from '../testing/open-tables.ts'
import type { Payment } from './decide-payment.ts'
import { paymentTable } from './payment-table.ts'

const hold = { authorizationId: 'auth "1"', amountMinor: Number.MAX_SAFE_INTEGER, currency: 'EUR' }
const { authorizationId: _, ...amount } = hold
const payments = new Map<string, Payment>([
  ['unplaced', { phase: 'unplaced', verdict: 'capture' }],
  ['closed', { phase: 'closed' }],
  ['declined', { phase: 'declined' }],
  ['authorizing, {"}', { phase: 'authorizing', verdict: 'void', ...amount }],
  ['authorized Ü', { phase: 'authorized', ...hold }],
  ['voiding', { phase: 'voiding', ...hold }],
  ['voided', { phase: 'voided', ...hold, amountMinor: 0 }],
  ['capturing', { phase: 'capturing', ...hold }],
  ['captured', { phase: 'captured', ...hold }],
])

test('payments are read back as they were written, and written over', async () => {
  await using tables = await openTables('payment')
  const { pool } = tables
  const orderIds = [...payments.keys()]
  expect(await paymentTable.load(pool, orderIds)).toEqual(new Map())

  await paymentTable.save(pool, payments)
  expect(await paymentTable.load(pool, [...orderIds, 'never seen'])).toEqual(payments)

  const states = [...payments.values()]
  const shifted = new Map(orderIds.map((orderId, index) => [orderId, states.at(index - 1) as Payment]))
  await paymentTable.save(pool, shifted)
  expect(await paymentTable.load(pool, orderIds)).toEqual(shifted)
})

test('the table refuses what cannot be', async () => {
  await using tables = await openTables('payment')
  const refused = (row: object) =>
    expect(paymentTable.save(tables.pool, new Map([['o', row as Payment]]))).rejects.toMatchObject({ code: '23514' })
  await refused({ phase: 'authorized', ...hold, amountMinor: -1 })
  await refused({ phase: 'authorized', ...amount })
  await refused({ phase: 'stolen' })
})
