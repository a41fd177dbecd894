import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compareOrders, missingStock } from './compare-orders.ts'
import { parseColumns, presets } from './columns.ts'
import { planImport } from './plan-import.ts'
import { readOrders } from './read-orders.ts'

const folder = mkdtempSync(join(tmpdir(), 'tally-tables-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (text: string) => {
  const path = join(folder, 'orders.csv')
  writeFileSync(path, text)
  return path
}
const options = { currency: 'EUR', source: 'shop', importedAt: Date.UTC(2026, 0, 1) }
const plan = (text: string, columns?: Parameters<typeof readOrders>[1], offset?: string) =>
  planImport(readOrders(file(text), columns, { offset }), undefined, options)

const head = 'OrderID,CustomerID,ProductID,UnitPrice,Quantity'

describe('separators and line ends', () => {
  test.each([',', ';', '\t', '|'])('%j is found', (separator) => {
    const { orders } = readOrders(file([head, '1,C,A,9.5,2', ''].join('\n').replaceAll(',', separator)))
    expect(orders).toMatchObject([{ orderNumber: '1', lines: [{ sku: 'A', quantity: 2 }] }])
  })

  test('rows end at LF, CRLF or CR, also mixed; lines are counted so; U+2028 is text', () => {
    const end = fc.constantFrom('\n', '\r\n', '\r')
    fc.assert(
      fc.property(fc.array(end, { minLength: 4, maxLength: 4 }), ([a, b, c, d]) => {
        const { orders, problems } = readOrders(file(`\ufeff${head}${a}1,C\u2028D,A,1,1${b}2,C,A,1,x${c}3,C,A,1,1${d}`))
        expect(orders.map(({ orderNumber, line, customerId }) => [orderNumber, line, customerId])).toEqual([
          ['1', 2, 'C\u2028D'],
          ['3', 4, 'C'],
        ])
        expect(problems).toMatchObject([{ line: 3, column: 'Quantity', cause: 'is not a whole number' }])
      }),
    )
  })

  test('a decimal comma is read where the comma separates nothing, unless it may be thousands', () => {
    const { orders, problems } = readOrders(file(`${head}\n1,C,A,@,1\n`.replaceAll(',', ';').replace('@', '9,80')))
    expect(orders[0]?.lines[0]?.unitPrice).toEqual({ digits: 980n, scale: 2 })
    expect(problems).toEqual([])
    expect(readOrders(file(`${head}\n1,C,A,@,1\n`.replaceAll(',', ';').replace('@', '1,234'))).problems).toHaveLength(1)
  })

  test('lacking columns are named with those there are, and the way on', () => {
    expect(() => readOrders(file('Name,Email\n'))).toThrow(/no column OrderID.*Its columns are Name, Email.*--columns/)
  })
})

test('a Shopify export: fields in the first row only, an article twice, times with an offset, an order that was cancelled', () => {
  const { orders, problems, cancelled } = plan(
    [
      'Name,Email,Currency,Created at,Cancelled at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Lineitem discount,Shipping Name,Shipping Street,Shipping City,Shipping Zip,Shipping Country',
      "#1001,ada@example.com,USD,2026-03-01 10:14:00 -0500,,2,Fern,16.00,FERN-1,1.50,Ada,1 Lane,Testville,'00123,US",
      '#1001,ada@example.com,,2026-03-01 10:14:00 -0500,,1,Tote,20.00,,0.00,,,,,',
      '#1001,,,,,1,Fern,16.00,FERN-1,,,,,,',
      '#1002,bo@example.com,USD,2026-03-02 10:00:00 +0000,2026-03-03 10:00:00 +0000,1,Mug,9.00,MUG,0.00,Bo,2 Lane,T,1,US',
    ].join('\r\n'),
    presets.shopify,
  )
  expect({ problems, cancelled }).toEqual({ problems: [], cancelled: 1 })
  expect(orders.map(({ event }) => event.data)).toEqual([
    {
      orderId: expect.any(String),
      customerId: 'ada@example.com',
      currency: 'USD',
      placedAt: Date.UTC(2026, 2, 1, 15, 14),
      totalMinor: 3_050 + 1_600 + 2_000,
      lines: [
        { sku: 'FERN-1', quantity: 3, unitPriceMinor: 1_600, amountMinor: 3_050 + 1_600 },
        { sku: 'Tote', quantity: 1, unitPriceMinor: 2_000, amountMinor: 2_000 },
      ],
      shipTo: { recipient: 'Ada', street: '1 Lane', city: 'Testville', postalCode: '00123', country: 'US' },
    },
  ])
})

test('a WooCommerce export: amounts of lines, names in two columns, times that need --offset', () => {
  const text = [
    'order_number,order_date,status,order_currency,customer_id,shipping_first_name,shipping_last_name,shipping_address_1,shipping_city,shipping_postcode,shipping_country,item_sku,item_quantity,item_total',
    '77,2026-01-15 12:00:00,completed,JPY,9,Jo,Doe,1 St,Town,1,JP,A,3,1000',
    '78,2026-01-15 12:00:00,wc-refunded,JPY,9,Jo,Doe,1 St,Town,1,JP,A,3,1000',
  ].join('\n')
  expect(plan(text, presets.woocommerce).problems).toMatchObject([{ cause: expect.stringContaining('--offset') }, {}])
  const { orders, cancelled } = plan(text, presets.woocommerce, '+09:00')
  expect(cancelled).toBe(1)
  expect(orders[0]?.event.data).toMatchObject({
    placedAt: Date.UTC(2026, 0, 15, 3),
    totalMinor: 1_000,
    lines: [{ quantity: 3, unitPriceMinor: 333, amountMinor: 1_000 }],
    shipTo: { recipient: 'Jo Doe' },
  })
})

test('a row without a number belongs to the order before it, if it says nothing of an order', () => {
  const columns = parseColumns('order=No,customer=Who,sku=Art|Name,quantity=Qty,price=Net')
  const { orders, problems } = readOrders(file('No,Who,Art,Name,Qty,Net\n5,C,A,x,1,2\n,,,B,1,3\n,D,A,x,1,2\n'), columns)
  expect(orders.map(({ lines }) => lines.map(({ sku }) => sku))).toEqual([['A', 'B']])
  expect(problems).toMatchObject([{ line: 4, column: 'No', message: 'is empty' }])
})

describe('columns', () => {
  test('are a preset, a list, or a file of either', () => {
    expect(parseColumns('shopify,customer=Phone')).toEqual({ ...presets.shopify, customer: ['Phone'] })
    expect(parseColumns(file('# mine\nshopify\r\ncustomer=Phone|Email\n'))).toEqual({
      ...presets.shopify,
      customer: ['Phone', 'Email'],
    })
  })

  test.each([
    ['order=Name', 'price=…'],
    ['order=Name,price=P', 'name the column of customer, sku, quantity'],
    ['ordr=Name', 'Did you mean order?'],
    ['nowhere.txt', 'Cannot read nowhere.txt'],
  ])('%s is refused', (text, reason) => expect(() => parseColumns(text)).toThrow(reason))
})

test('what changed since the first import is said field by field, with its line', () => {
  const [before] = plan(`${head},ShipAddress\n1,C,A,2,1,Old\n1,C,B,2,1,Old\n`, { ...presets.northwind }).orders
  const known = new Map([
    ['1', { ...before!, orderId: before!.event.data.orderId, data: before!.event.data, importedAt: new Date() }],
  ])
  expect(compareOrders([before!], known)).toMatchObject({ fresh: [], unchanged: [{}], changes: [] })
  const now = plan(`${head},ShipAddress\n1,C,A,2,1,New\n1,C,B,2,3,New\n2,C,A,2,1,\n`, presets.northwind).orders
  const { fresh, changes } = compareOrders(now, known)
  expect(fresh).toMatchObject([{ orderNumber: '2' }])
  expect(changes.map(({ line, field, was, is }) => [line, field, was, is])).toEqual([
    [2, 'shipTo.street', 'Old', 'New'],
    [3, 'quantity of B', '1', '3'],
    [3, 'amountMinor of B', '200', '600'],
  ])
})

test('stock is the difference to the greater of given and needed; delivered again it is nothing', () => {
  const units = fc.array(fc.tuple(fc.constantFrom<string>('a', 'b', 'c'), fc.nat(3_000_000)))
  fc.assert(
    fc.property(units, units, units, (given, ordered, delivered) => {
      const [want, need, have] = [new Map(given), new Map(ordered), new Map(delivered)]
      const before = new Map(have)
      const deliveries = missingStock(want, need, have, 0)
      expect(new Set(deliveries.map(({ id }) => id)).size).toBe(deliveries.length)
      for (const { data } of deliveries) {
        expect(data.quantity).toBeLessThanOrEqual(1_000_000)
        have.set(data.sku, (have.get(data.sku) ?? 0) + data.quantity)
      }
      for (const sku of ['a', 'b', 'c'])
        expect(have.get(sku) ?? 0).toBe(Math.max(before.get(sku) ?? 0, want.get(sku) ?? 0, need.get(sku) ?? 0))
      expect(missingStock(want, need, have, 0)).toEqual([])
    }),
  )
})
