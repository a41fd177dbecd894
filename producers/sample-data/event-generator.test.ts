import { describe, expect, test } from '@jest/globals'
import { eventTypes, keyOf } from '../../schemas/topics.ts'
import { demoCatalogue } from './demo-catalogue.ts'
import { eventGenerator, generateEvents } from './event-generator.ts'
import { orderGenerator } from './order-generator.ts'

describe('orders of a seed', () => {
  const orders = Array.from({ length: 2_000 }, (_, index) => orderGenerator(42)(index))
  const prices = new Map(demoCatalogue().map(({ sku, unitPriceMinor }) => [sku, unitPriceMinor]))

  test('add up, at the prices of the catalogue', () => {
    for (const { lines, totalMinor } of orders) {
      for (const line of lines) {
        expect(line.unitPriceMinor).toBe(prices.get(line.sku))
        expect(line.quantity).toBeGreaterThanOrEqual(1)
        expect(line.amountMinor).toBe(line.quantity * line.unitPriceMinor)
      }
      expect(totalMinor).toBe(lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0))
    }
  })

  test('have one to five lines of distinct articles', () => {
    const counts = new Set(orders.map(({ lines }) => lines.length))
    expect(counts).toEqual(new Set([1, 2, 3, 4, 5]))
    for (const { lines } of orders) expect(new Set(lines.map(({ sku }) => sku)).size).toBe(lines.length)
  })

  test('are a function of seed and index alone', () => {
    expect(orderGenerator(42)(1_999)).toEqual(orders[1_999])
    expect(orderGenerator(43)(1_999)).not.toEqual(orders[1_999])
    expect(new Set(orders.map(({ orderId }) => orderId)).size).toBe(orders.length)
  })

  test('give a customer one address', () => {
    const addresses = new Map(orders.map(({ customerId, shipTo }) => [customerId, shipTo]))
    for (const { customerId, shipTo } of orders) expect(shipTo).toEqual(addresses.get(customerId))
    expect(addresses.size).toBeLessThan(orders.length) // Some come again
  })

  test('fit into a catalogue smaller than the largest order', () => {
    const small = orderGenerator(1, demoCatalogue().slice(0, 2))
    for (let index = 0; index < 100; index++) expect(small(index).lines.length).toBeLessThanOrEqual(2)
  })
})

describe('events of a seed', () => {
  test.each(eventTypes)('%s: the same twice, ids unique', (type) => {
    const events = [...generateEvents(type, { count: 300, seed: 7 })]
    expect([...generateEvents(type, { count: 300, seed: 7 })]).toEqual(events)
    expect(new Set(events.map(({ id }) => id)).size).toBe(300)
  })

  test('are about the orders of that seed', () => {
    const order = orderGenerator(7)(3)
    for (const type of eventTypes) {
      const { data } = eventGenerator(type, 7)(3)
      if ('orderId' in data) expect(keyOf(data)).toBe(order.orderId)
    }
  })

  test('are about one key when told so, under ids of their own', () => {
    const [cancellation] = generateEvents('CancellationRequested', { count: 1, seed: 7, key: 'an-order' })
    const [delivery] = generateEvents('StockReplenished', { count: 1, seed: 7, key: '11' })
    expect(cancellation?.data).toMatchObject({ orderId: 'an-order' })
    expect(delivery?.data).toMatchObject({ sku: '11' })
    expect(cancellation?.id).not.toBe(eventGenerator('CancellationRequested', 7)(0).id)
  })

  test('deliver every article of the catalogue once per round', () => {
    const delivered = [...generateEvents('StockReplenished', { count: 200, seed: 1 })].map(({ data }) => keyOf(data))
    expect(delivered).toEqual(demoCatalogue().map(({ sku }) => sku))
  })
})
