import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { isTallyError } from '../../infra/errors.ts'
import { ApiClient, newOrderOf } from './api-client.ts'
import { demoCatalogue } from '../sample-data/demo-catalogue.ts'
import { orderGenerator } from '../sample-data/order-generator.ts'
import { createOrdersBench, freePort } from '../orders-api/testing/orders-bench.ts'
import type { OrdersBench, Replica } from '../orders-api/testing/orders-bench.ts'

let bench: OrdersBench
let replica: Replica
beforeAll(async () => {
  bench = await createOrdersBench()
  await bench.sandbox.createTopics()
  replica = await bench.start('one')
})
afterAll(() => bench[Symbol.asyncDispose]())

const placeable = (index: number) => newOrderOf(orderGenerator(1)(index))

test('generated orders are taken once the catalogue is there, and once per key', async () => {
  const api = new ApiClient({ url: replica.url })
  await Promise.all(
    demoCatalogue().map(({ sku, name, unitPriceMinor, currency }) =>
      api.putProduct(sku, { name, unitPriceMinor: String(unitPriceMinor), currency }),
    ),
  )
  const keys = ['k0', 'k1', 'k0', 'k1']
  const placed = await Promise.all(keys.map((key) => api.placeOrder(placeable(Number(key.slice(1))), key)))
  const ids = placed.map(({ orderId }) => orderId)
  expect(ids.slice(2)).toEqual(ids.slice(0, 2))
  expect(new Set(ids).size).toBe(2)
})

test('a refusal says what is wrong and is not tried again', async () => {
  const api = new ApiClient({ url: replica.url })
  const order = { ...placeable(0), lines: [{ sku: 'nothing-of-ours', quantity: 1 }] }
  const failure = await api.placeOrder(order, 'k2').catch((error: unknown) => error)
  expect(isTallyError(failure, 'REFUSED_BY_API')).toBe(true)
  expect(String(failure)).toContain('/lines/0/sku is not in the catalogue')
})

test('requests are retried while the API is overloaded or restarts', async () => {
  const port = await freePort()
  const statuses = [503, 200, 200]
  const serve = async () => {
    const server = createServer((_, response) => {
      response.writeHead(statuses.shift() ?? 500, { connection: 'close' }).end('{"orderId":"o-1"}')
    }).listen(port, '127.0.0.1')
    await once(server, 'listening')
    return server
  }
  const api = new ApiClient({ url: `http://127.0.0.1:${port}` })
  {
    await using _first = await serve()
    expect(await api.placeOrder(placeable(0), 'k3')).toEqual({ orderId: 'o-1' })
  }
  const placing = api.placeOrder(placeable(1), 'k4')
  await using _second = await serve()
  expect(await placing).toEqual({ orderId: 'o-1' })
  expect(statuses).toEqual([])
})

test('a cancellation that comes too late is told from a key that was used for something else', async () => {
  const orders = [{ endedAt: '2026-01-01T00:00:00.000Z' }, { endedAt: null }]
  await using server = createServer((request, response) => {
    const asked = request.method === 'GET'
    response.writeHead(asked ? 200 : 409).end(JSON.stringify(asked ? orders.shift() : { detail: 'In conflict.' }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const api = new ApiClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  const cancel = () => api.requestCancellation('o-1', 'changed my mind', 'k5')
  expect(await cancel()).toBe(false)
  await expect(cancel()).rejects.toMatchObject({
    code: 'REFUSED_BY_API',
    message: expect.stringContaining('In conflict.'),
  })
  expect(orders).toEqual([])
})

test('an API that never was there is said at once', async () => {
  const api = new ApiClient({ url: `http://127.0.0.1:${await freePort()}` })
  const failure = await api.placeOrder(placeable(0), 'k4').catch((error: unknown) => error)
  expect(isTallyError(failure)).toBe(false)
  expect((failure as { cause?: { code?: string } }).cause?.code).toBe('ECONNREFUSED')
})
