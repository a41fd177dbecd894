import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { priceOrder } from './price-order.ts'
import type { NewOrder, Product } from '../../http/contract.ts'

const shipTo = { recipient: 'A', street: 'B', city: 'C', postalCode: '', country: 'D' }
const orderOf = (lines: NewOrder['lines']): NewOrder => ({ customerId: 'c-1', currency: 'EUR', lines, shipTo })
const catalogue = (...products: Product[]) => new Map(products.map((product) => [product.sku, product]))
const tea: Product = { sku: 'tea', name: 'Tea', unitPriceMinor: '450', currency: 'EUR' }
const cup: Product = { sku: 'cup', name: 'Cup', unitPriceMinor: '1299', currency: 'USD' }

describe('pricing an order', () => {
  test('takes prices from the catalogue', () => {
    const lines = [{ sku: 'tea', quantity: 3 }]
    expect(priceOrder(orderOf(lines), catalogue(tea))).toEqual({
      lines: [{ sku: 'tea', quantity: 3, unitPriceMinor: 450, amountMinor: 1_350 }],
      totalMinor: 1_350,
    })
  })

  test('names every line that is wrong', () => {
    const lines = ['tea', 'milk', 'tea', 'cup', 'milk'].map((sku) => ({ sku, quantity: 1 }))
    expect(priceOrder(orderOf(lines), catalogue(tea, cup)).errors).toEqual([
      { path: '/lines/1/sku', message: 'is not in the catalogue' },
      { path: '/lines/2/sku', message: 'repeats the article of line 1' },
      { path: '/lines/3/sku', message: 'is sold in USD, not in EUR' },
      { path: '/lines/4/sku', message: 'repeats the article of line 2' },
    ])
  })

  test('adds up exactly, even for the largest order there can be', () => {
    const line = fc.record({
      price: fc.integer({ min: 1, max: 999_999_999 }),
      quantity: fc.integer({ min: 1, max: 10_000 }),
    })
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 100 }), (wanted) => {
        const products = wanted.map(({ price }, i) => ({ ...tea, sku: `s${i}`, unitPriceMinor: String(price) }))
        const order = orderOf(wanted.map(({ quantity }, i) => ({ sku: `s${i}`, quantity })))
        const exact = wanted.reduce((total, { price, quantity }) => total + BigInt(price) * BigInt(quantity), 0n)
        expect(BigInt(priceOrder(order, catalogue(...products)).totalMinor ?? -1)).toBe(exact)
      }),
    )
    expect(100 * 999_999_999 * 10_000).toBeLessThan(Number.MAX_SAFE_INTEGER)
  })
})
