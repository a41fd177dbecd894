import { describe, expect, test } from '@jest/globals'
import type { RequestHandler } from 'express'
import { openText, sealingKey, sealText } from '../../../infra/security/sealed-text.ts'
import supertest from 'supertest'
import { TallyError } from '../../../infra/errors.ts'
import { silentLogger } from '../../../infra/logger.ts'
import { createEncoder } from '../../../schemas/codec/encoder.ts'
import type { EventType } from '../../../schemas/generated/events.ts'
import { loadSchemas } from '../../../schemas/load-schemas.ts'
import { createApp } from './app.ts'
import type { Product } from './contract.ts'
import type { Entry } from '../orders/order-book.ts'
import { productOperations } from '../orders/products.ts'
import type { FieldError } from './reply.ts'
import { writeOperations } from '../orders/write-orders.ts'
import type { WriteDeps } from '../orders/write-orders.ts'

const ids = new Map<EventType, number>([
  ['OrderPlaced', 1],
  ['CancellationRequested', 2],
])
const key = (customerId: string) => sealingKey(7, customerId, Buffer.alloc(32, customerId))
const encode = createEncoder(loadSchemas(), ids)
const tea: Product = { sku: 'tea', name: 'Tea', unitPriceMinor: '450', currency: 'EUR' }

/** The application with lists in place of the database. */
function setUp(overrides: Partial<WriteDeps> = {}) {
  const written: Entry[] = []
  const put: Product[] = []
  const write = writeOperations({
    book: { write: async (entry) => (written.push(entry), entry.reply) },
    catalogue: { find: async () => new Map([[tea.sku, tea]]) },
    reader: { find: async () => undefined, customerOf: async () => null, timeline: async () => new Map() },
    findKey: async () => undefined,
    encoder: async () => encode,
    countRequests: async () => 0,
    keyOf: async (customerId) => key(customerId),
    ...overrides,
  })
  const products = productOperations({ list: async () => [], put: async (product) => void put.push(product) })
  return { http: supertest(createApp([...write, ...products], { log: silentLogger })), written, put }
}

const shipTo = { recipient: 'Jane Roe', street: 'High Street 1', city: 'Leeds', postalCode: '', country: 'UK' }
const line = { sku: 'tea', quantity: 2 }
const order = { customerId: 'c-1', currency: 'EUR', lines: [line], shipTo }
const json = 'application/json'

describe('placing an order', () => {
  test('answers 201 with where to follow it, and writes the order with its event', async () => {
    const { http, written } = setUp()
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    const { status, headers, body } = await http.post('/orders').set({ traceparent }).send(order)
    expect({ status, location: headers['location'] }).toEqual({ status: 201, location: `/orders/${body.orderId}` })
    expect(body).toMatchObject({ status: 'placed', currency: 'EUR', totalMinor: '900' })
    expect(written).toHaveLength(1)
    expect(written[0]).toMatchObject({
      order: { orderId: body.orderId, totalMinor: 900, shipTo: { country: 'UK', postalCode: '' } },
      event: { topic: 'orders', key: body.orderId, headers: { ce_correlationid: body.orderId, traceparent } },
    })
    const { recipient = '', street = '', city = '' } = written[0]?.order?.shipTo ?? {}
    const opened = [recipient, street, city].map((text) => openText(key('c-1'), text))
    expect(opened).toEqual([shipTo.recipient, shipTo.street, shipTo.city])
    expect(written[0]?.event.value.includes(recipient)).toBe(true)
    expect(written[0]?.event.eventId).toMatch(/^[\da-f]{8}-[\da-f]{4}-7/)
  })

  test('seals an address that looks sealed, too', async () => {
    const { http, written } = setUp()
    const other = sealText(key('c-2'), 'High Street 1')
    await http.post('/orders').send({ ...order, shipTo: { ...shipTo, street: other } })
    expect(openText(key('c-1'), written[0]?.order?.shipTo.street ?? '')).toBe(other)
  })

  test.each<[string, object, string[]]>([
    ['no fields', {}, ['/customerId', '/currency', '/lines', '/shipTo']],
    ['an unknown field', { ...order, 'a/b': 1 }, ['/a~1b']],
    ['an unknown field deep inside', { ...order, shipTo: { ...shipTo, planet: 'x' } }, ['/shipTo/planet']],
    ['no lines', { ...order, lines: [] }, ['/lines']],
    ['101 lines', { ...order, lines: Array.from({ length: 101 }, () => line) }, ['/lines']],
    ['a quantity of zero', { ...order, lines: [{ ...line, quantity: 0 }] }, ['/lines/0/quantity']],
    ['a negative quantity', { ...order, lines: [{ ...line, quantity: -1 }] }, ['/lines/0/quantity']],
    ['a huge quantity', { ...order, lines: [{ ...line, quantity: 10_001 }] }, ['/lines/0/quantity']],
    ['half a unit', { ...order, lines: [{ ...line, quantity: 0.5 }] }, ['/lines/0/quantity']],
    ['a quantity in words', { ...order, lines: [line, { ...line, quantity: '2' }] }, ['/lines/1/quantity']],
    ['a price of their own', { ...order, lines: [{ ...line, unitPriceMinor: '1' }] }, ['/lines/0/unitPriceMinor']],
    ['a currency in small letters', { ...order, currency: 'eur' }, ['/currency']],
    ['a blank customer', { ...order, customerId: ' ' }, ['/customerId']],
    ['a long customer', { ...order, customerId: 'x'.repeat(129) }, ['/customerId']],
    ['a zero byte', { ...order, shipTo: { ...shipTo, city: 'a\0b' } }, ['/shipTo/city']],
    ['half a surrogate pair', { ...order, shipTo: { ...shipTo, city: 'a\ud800' } }, ['/shipTo/city']],
    ['a card number', { ...order, paymentMethod: '4242424242424242' }, ['/paymentMethod']],
    ['a list', [order], ['']],
  ])('refuses %s', async (_, body, paths) => {
    const { http, written } = setUp()
    const response = await http.post('/orders').send(body)
    expect(response.status).toBe(400)
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expect(response.body).toMatchObject({ type: 'about:blank', title: 'Bad Request', status: 400 })
    expect(response.body.errors.map(({ path }: FieldError) => path)).toEqual(paths)
    expect(written).toEqual([])
  })

  test('refuses keys of prototypes without touching any', async () => {
    const { http, written } = setUp()
    const body = JSON.stringify(order).replace('{', '{"__proto__":{"polluted":true},')
    const { status } = await http.post('/orders').type(json).send(body)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    expect(status).toBe(400)
    expect(written).toEqual([])
  })

  test('refuses what the catalogue does not allow, line by line', async () => {
    const { http, written } = setUp()
    const lines = [line, { sku: 'milk', quantity: 1 }, line]
    const { status, body } = await http.post('/orders').send({ ...order, lines })
    expect(status).toBe(422)
    expect(body.errors).toEqual([
      { path: '/lines/1/sku', message: 'is not in the catalogue' },
      { path: '/lines/2/sku', message: 'repeats the article of line 1' },
    ])
    expect(written).toEqual([])
  })

  test('passes the token of the payment method on in the event', async () => {
    const { http, written } = setUp()
    await http
      .post('/orders')
      .send({ ...order, paymentMethod: 'card_test_declined' })
      .expect(201)
    expect(written[0]?.order?.paymentMethod).toBe('card_test_declined')
  })

  test('gives the first reply to a repeat that could not be accepted any more', async () => {
    const kept: Entry[] = []
    const store: Pick<WriteDeps, 'book' | 'findKey'> = {
      book: { write: async (entry) => (kept.push(entry), entry.reply) },
      findKey: async (key) => {
        const entry = kept.find(({ idempotency }) => idempotency?.key === key)
        return entry?.idempotency && { ...entry.idempotency, reply: entry.reply }
      },
    }
    const first = await setUp(store).http.post('/orders').set('idempotency-key', 'k-1').send(order)
    const soldOut = setUp({ ...store, catalogue: { find: async () => new Map() } }).http
    const repeated = await soldOut.post('/orders').set('idempotency-key', 'k-1').send(order)
    const other = await soldOut
      .post('/orders')
      .set('idempotency-key', 'k-1')
      .send({ ...order, customerId: 'c-2' })
    const unkeyed = await soldOut.post('/orders').send(order)
    expect([first.status, repeated.status, other.status, unkeyed.status]).toEqual([201, 201, 409, 422])
    expect(repeated.text).toBe(first.text)
    expect(repeated.headers['location']).toBe(first.headers['location'])
  })
})

describe('requests that are not as they should be', () => {
  const big = JSON.stringify({ ...order, customerId: 'x'.repeat(70_000) })
  test.each<[string, number, (http: ReturnType<typeof setUp>['http']) => supertest.Test]>([
    ['malformed JSON', 400, (http) => http.post('/orders').type(json).send('{"customerId":')],
    ['JSON that is no object', 400, (http) => http.post('/orders').type(json).send('17')],
    ['no body', 415, (http) => http.post('/orders')],
    ['an empty body', 400, (http) => http.post('/orders').type(json)],
    ['another content type', 415, (http) => http.post('/orders').type('text/plain').send('hello')],
    ['a form', 415, (http) => http.post('/orders').type('form').send({ customerId: 'c-1' })],
    [
      'another Unicode',
      415,
      (http) => http.post('/orders').type('application/json; charset=utf-16').send(Buffer.from('{}', 'utf16le')),
    ],
    [
      'bytes that are no UTF-8',
      400,
      (http) => http.post('/orders').type(json).send(Buffer.from('{"customerId":"\xe9"}', 'latin1')),
    ],
    ['a query that is no UTF-8', 400, (http) => http.get('/products?after=%E9')],
    ['another character set', 415, (http) => http.post('/orders').type('application/json; charset=koi8-r').send('{}')],
    ['another encoding', 415, (http) => http.post('/orders').set('content-encoding', 'zz').type(json).send('{}')],
    ['an oversize body', 413, (http) => http.post('/orders').type(json).send(big)],
    ['a bad key', 400, (http) => http.post('/orders').set('idempotency-key', 'a b').send(order)],
    ['a long key', 400, (http) => http.post('/orders').set('idempotency-key', 'k'.repeat(256)).send(order)],
    ['an unknown path', 404, (http) => http.get('/order')],
    ['a path that cannot be decoded', 400, (http) => http.post('/orders/%E0%A4%A/cancellation').send({ reason: 'x' })],
    ['a zero byte in the path', 400, (http) => http.post('/orders/a%00b/cancellation').send({ reason: 'x' })],
    ['an unknown order', 404, (http) => http.post('/orders/o-1/cancellation').send({ reason: 'x' })],
    ['another method', 405, (http) => http.delete('/orders')],
    ['a page of nothing', 400, (http) => http.get('/products?limit=0')],
    ['a page number twice', 400, (http) => http.get('/products?limit=1&limit=2')],
    ['a price as a number', 400, (http) => http.put('/products/tea').send({ ...tea, unitPriceMinor: 450 })],
  ])('%s is answered %#: %i', async (_, expected, request) => {
    const { http, written, put } = setUp()
    const { status, headers, body } = await request(http)
    expect({ status, title: typeof body.title }).toEqual({ status: expected, title: 'string' })
    expect(headers['content-type']).toContain('application/problem+json')
    expect([written, put]).toEqual([[], []])
  })

  test('say which methods there are', async () => {
    expect((await setUp().http.delete('/orders')).headers['allow']).toBe('POST')
  })
})

describe('the shop', () => {
  const shop: RequestHandler = (request, response, next) =>
    request.method === 'GET' ? void response.send(`page ${request.path}`) : next()
  const http = supertest(createApp([], { log: silentLogger, shop }))

  test('is served beside the API, to the same hosts', async () => {
    expect((await http.get('/')).headers['location']).toBe('/shop/')
    expect((await http.get('/shop/basket')).text).toBe('page /basket')
    expect((await http.get('/shop/').set('host', 'evil.example')).status).toBe(421)
    expect((await http.post('/shop/')).status).toBe(404)
  })

  test('is not there unless it is asked for', async () => {
    expect((await setUp().http.get('/shop/')).status).toBe(404)
  })
})

describe('faults', () => {
  const failing = (error: Error) =>
    setUp({ book: { write: () => Promise.reject(error) } })
      .http.post('/orders')
      .send(order)

  test('that may pass are answered 503 with Retry-After', async () => {
    const { status, headers, body } = await failing(new TallyError('UNREACHABLE', 'the database does not answer'))
    expect({ status, retry: headers['retry-after'] }).toEqual({ status: 503, retry: '1' })
    expect(body.detail).toContain('the database does not answer')
  })

  test('of our own are answered 500 and show nothing of what is inside', async () => {
    const { status, text } = await failing(new Error('secret detail'))
    expect(status).toBe(500)
    expect(text).not.toMatch(/secret|\.ts|at /)
  })
})
