import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { isTallyError } from '../../infra/errors.ts'
import { findNorthwind } from './northwind.ts'
import { planImport } from './plan-import.ts'
import type { ImportOptions } from './plan-import.ts'
import { readOrders } from './read-orders.ts'
import { readProducts } from './read-products.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tally-import-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const file = (name: string, text: string | Buffer): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const ordersFile = (...rows: string[]) =>
  file(
    'orders.csv',
    ['OrderID,CustomerID,ShipName,OrderDate,ProductID,UnitPrice,Quantity,Discount', ...rows, ''].join('\n'),
  )
const productsFile = (...rows: string[]) =>
  file('products.csv', ['ProductID,ProductName,UnitPrice,UnitsInStock', ...rows, ''].join('\n'))

const options: ImportOptions = { currency: 'EUR', source: 'shop', importedAt: Date.UTC(2026, 0, 1) }
const twoProducts = () => readProducts(productsFile('11,Queso,21,22', '42,"Singaporean, Hokkien ""Fried"" Mee",14,0'))

describe('readOrders', () => {
  test('gathers the rows of an order, wherever they stand', () => {
    const { orders, problems } = readOrders(
      ordersFile(
        '1,VINET,Vins,1996-07-04,11,14,12,0',
        '2,TOMSP,"Toms\nSpezialitäten",1996-07-05,42,9.8,1,0.05',
        '1,VINET,Vins,1996-07-04,42,9.8,10,',
      ),
    )
    expect(problems).toEqual([])
    expect(orders.map(({ orderNumber, lines }) => [orderNumber, lines.map(({ sku, line }) => [sku, line])])).toEqual([
      [
        '1',
        [
          ['11', 2],
          ['42', 5],
        ],
      ], // the quoted line break counts
      ['2', [['42', 3]]],
    ])
    expect(orders[1]?.shipTo.recipient).toBe('Toms\nSpezialitäten')
    expect(orders[0]?.placedAt).toBe(Date.UTC(1996, 6, 4))
  })

  test.each([
    ['3,VINET,V,1996-07-04,11,14', undefined, '6 fields'],
    ['3,VINET,V,1996-07-04,11,abc,1,0', 'UnitPrice', 'not a decimal'],
    ['3,VINET,V,1996-07-04,11,-1,1,0', 'UnitPrice', 'negative'],
    ['3,VINET,V,1996-07-04,11,14,0,0', 'Quantity', 'less than 1'],
    ['3,VINET,V,1996-07-04,11,14,-2,0', 'Quantity', 'less than 1'],
    ['3,VINET,V,1996-07-04,11,14,1.5,0', 'Quantity', 'not a whole number'],
    ['3,VINET,V,1996-07-04,11,14,1000001,0', 'Quantity', 'more than'],
    ['3,VINET,V,1996-07-04,11,14,1,1.5', 'Discount', 'more than 1'],
    ['3,VINET,V,4 July 1996,11,14,1,0', 'OrderDate', 'not a day'],
    ['3,VINET,V,1996-13-04,11,14,1,0', 'OrderDate', 'not a day'],
    ['3,VINET,V,1996-02-30,11,14,1,0', 'OrderDate', 'not a day'],
    ['3,VINET,V,1996,11,14,1,0', 'OrderDate', 'not a day'],
    ['3,,V,1996-07-04,11,14,1,0', 'CustomerID', 'empty'],
    [',VINET,V,1996-07-04,11,14,1,0', 'OrderID', 'empty'],
    ['2,HANAR,T,1996-07-05,11,14,1,0', 'CustomerID', 'line 3'],
    ['2,TOMSP,Else,1996-07-05,11,14,1,0', 'ShipName', 'line 3'],
  ])('%s: leaves the whole order out and says where', (bad, column, message) => {
    const path = ordersFile('1,VINET,V,1996-07-04,11,14,12,0', '2,TOMSP,T,1996-07-05,42,9.8,1,0', bad)
    const { orders, problems } = readOrders(path)
    expect(problems).toMatchObject([
      { file: 'orders.csv', line: 4, ...(column && { column }), message: expect.stringContaining(message) },
    ])
    expect(orders.map(({ orderNumber }) => orderNumber)).toEqual(bad.startsWith('2,') ? ['1'] : ['1', '2'])
  })

  test('a column that is there twice has to agree', () => {
    const { problems } = readOrders(
      file('twice.csv', 'OrderID,CustomerID,OrderID,ProductID,UnitPrice,Quantity\n1,A,1,11,1,1\n2,A,3,11,1,1\n'),
    )
    expect(problems).toMatchObject([{ line: 3, column: 'OrderID' }])
  })

  test.each([
    ['', 'is empty'],
    ['OrderID,CustomerID,ProductID,UnitPrice\n', 'no column Quantity'],
    ['OrderID,CustomerID,ProductID,UnitPrice,Quantity\n1,"2', 'not a CSV'],
    [Buffer.from([0x4f, 0xff, 0xfe]), 'byte 2 is not UTF-8'],
  ])('refuses a file that is no table of orders: %j', (text, message) => {
    const thrown = caught(() => readOrders(file('broken.csv', text)))
    expect(isTallyError(thrown, 'USAGE')).toBe(true)
    expect(String(thrown)).toContain(message)
  })

  test('says in words why a file cannot be read', () => {
    expect(() => readOrders('/nowhere/orders.csv')).toThrow('Cannot read /nowhere/orders.csv: there is no such file')
    expect(() => readOrders(import.meta.dirname)).toThrow(/: it is a folder$/)
  })
})

test('readProducts finds what is wrong with products', () => {
  const { products, problems } = readProducts(productsFile('11,Queso,21,22', '11,Queso again,21,22', '12,,x,-1'))
  expect(products.map(({ sku }) => sku)).toEqual(['11'])
  expect(problems.map(({ line, column }) => [line, column])).toEqual([
    [3, 'ProductID'],
    [4, 'ProductName'],
    [4, 'UnitPrice'],
    [4, 'UnitsInStock'],
  ])
})

describe('planImport', () => {
  const sample = () =>
    readOrders(ordersFile('1,VINET,V,1996-07-04,11,14,40,0.15', '1,VINET,V,1996-07-04,42,9.8,10,0', '2,X,X,,42,1,5,0'))

  test('prices orders and takes the stock as given', () => {
    const plan = planImport(sample(), twoProducts(), options)
    expect(plan.orders.map(({ event: { data } }) => [data.totalMinor, data.placedAt])).toEqual([
      [47_600 + 9_800, Date.UTC(1996, 6, 4)],
      [500, options.importedAt],
    ])
    expect(plan.orders[0]?.event.data.lines[0]).toEqual({
      sku: '11',
      quantity: 40,
      unitPriceMinor: 1_400,
      amountMinor: 47_600,
    })
    expect([...plan.stock]).toEqual([
      ['11', 22],
      ['42', 0],
    ])
    expect(plan.products.map(({ product }) => [product.name, product.unitPriceMinor])).toEqual([
      ['Queso', '2100'],
      ['Singaporean, Hokkien "Fried" Mee', '1400'],
    ])
  })

  test('refuses an order that no consumer would take', () => {
    const orders = readOrders(ordersFile(`1,${'X'.repeat(200)},V,,11,14,1,0`))
    const { problems } = planImport(orders, twoProducts(), options)
    expect(problems).toEqual([{ file: 'orders.csv', line: 2, message: expect.stringContaining('customerId') }])
  })

  test('the ids of an order follow from its source and number, whatever its rows say', () => {
    const ids = (row: string, source = 'shop') =>
      planImport(readOrders(ordersFile(row)), twoProducts(), { ...options, source }).orders.map(({ event }) => [
        event.id,
        event.data.orderId,
      ])
    const first = ids('1,VINET,V,1996-07-04,11,14,40,0.15')
    expect(ids('1,VINET,Other street,1996-07-05,42,15,41,0')).toEqual(first)
    expect(ids('2,VINET,V,1996-07-04,11,14,40,0.15')).not.toEqual(first)
    expect(ids('1,VINET,V,1996-07-04,11,14,40,0.15', 'other')).not.toEqual(first)
  })

  test('adds up equal articles of an order', () => {
    const { orders, problems } = readOrders(ordersFile('1,V,V,,11,14,2,0.5', '1,V,V,,42,1,1,0', '1,V,V,,11,14,3,0'))
    const [order] = planImport({ orders, problems, cancelled: 0 }, twoProducts(), options).orders
    expect(problems).toEqual([])
    expect(order?.event.data.lines).toEqual([
      { sku: '11', quantity: 5, unitPriceMinor: 1_400, amountMinor: 1_400 + 4_200 },
      { sku: '42', quantity: 1, unitPriceMinor: 100, amountMinor: 100 },
    ])
  })

  test('leaves out orders of products it does not know', () => {
    const orders = readOrders(ordersFile('1,VINET,V,,11,14,1,0', '2,VINET,V,,11,14,1,0', '2,VINET,V,,99,14,1,0'))
    const plan = planImport(orders, twoProducts(), options)
    expect(plan.orders).toHaveLength(1)
    expect(plan.problems).toMatchObject([{ file: 'orders.csv', line: 4, column: 'ProductID' }])
  })

  test('leaves out products the catalogue would not take, and their orders', () => {
    const orders = readOrders(ordersFile('1,VINET,V,,11,14,1,0', '2,VINET,V,,12,14,1,0'))
    const plan = planImport(orders, readProducts(productsFile('11,Queso,21,22', '12,Free,0,5')), options)
    expect(plan.products.map(({ sku }) => sku)).toEqual(['11'])
    expect(plan.stock.size).toBe(1)
    expect(plan.problems).toMatchObject([
      { file: 'products.csv', line: 3, column: 'UnitPrice' },
      { file: 'orders.csv', line: 3, column: 'ProductID' },
    ])
  })

  test('refuses amounts beyond what travels exactly, and currencies that do not exist', () => {
    const dear = readOrders(ordersFile('1,VINET,V,,11,999999999999,1000000,0'))
    expect(planImport(dear, twoProducts(), options).problems).toMatchObject([{ line: 2 }])
    expect(String(caught(() => planImport(dear, twoProducts(), { ...options, currency: 'EURO' })))).toContain(
      'no currency EURO',
    )
  })
})

const northwind = findNorthwind()
const onNorthwind = northwind ? test : test.skip

describe('Northwind', () => {
  onNorthwind(
    `comes out to the cent${northwind ? '' : ': skipped, set TALLY_NORTHWIND_DIR to the folder of its CSV files'}`,
    () => {
      const orders = readOrders(join(String(northwind), 'orders.csv'))
      const plan = planImport(orders, readProducts(join(String(northwind), 'products.csv')), {
        ...options,
        currency: 'USD',
      })
      const lines = plan.orders.flatMap(({ event }) => event.data.lines)
      expect(plan.problems).toEqual([])
      expect(plan.orders).toHaveLength(830)
      expect(lines).toHaveLength(2_155)
      expect(lines.reduce((sum, { quantity }) => sum + quantity, 0)).toBe(51_317)
      expect(plan.orders.reduce((sum, { event }) => sum + event.data.totalMinor, 0)).toBe(126_579_329)
    },
  )
})

function caught(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}
