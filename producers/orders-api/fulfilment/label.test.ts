import { once } from 'node:events'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from '@jest/globals'
import supertest from 'supertest'
import { silentLogger } from '../../../infra/logger.ts'
import { createApp } from '../http/app.ts'
import { labelOperations } from './label.ts'

const svg = '<svg xmlns="http://www.w3.org/2000/svg"/>'

/** A carrier, and the application that knows the label of order o-1 at a path or address. */
async function setUp(answer: RequestListener, label: string | undefined) {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const reader = {
    find: async (id: string) => (id === 'o-1' ? ({ orderId: id, customerId: 'c-1' } as never) : undefined),
    customerOf: async () => null,
    labelUrl: async () => label?.replace('{carrier}', `127.0.0.1:${port}`),
  }
  const carrierUrl = `http://:secret@127.0.0.1:${port}`
  const http = supertest(createApp(labelOperations({ reader, carrierUrl }), { log: silentLogger }))
  const close = () => (server.closeAllConnections(), server.close(), once(server, 'close'))
  return { http, close, [Symbol.asyncDispose]: async () => void (server.listening && (await close())) }
}

const serve = (type: string, body: string | Buffer, status = 200): RequestListener => {
  return (_request, response) => void response.writeHead(status, { 'content-type': type }).end(body)
}

test('the label is passed on as it is, and may run nothing', async () => {
  const asked: string[] = []
  await using carrier = await setUp((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`)
    serve('image/svg+xml; charset=utf-8', svg)(request, response)
  }, 'http://{carrier}/labels/T1')
  const { status, headers, body } = await carrier.http.get('/orders/o-1/label')
  expect([status, String(body)]).toEqual([200, svg])
  expect(headers['content-type']).toBe('image/svg+xml')
  expect(headers['content-security-policy']).toBe("default-src 'none'; sandbox")
  expect(asked).toEqual(['/labels/T1 Bearer secret'])
})

test.each<[string, number, RequestListener, string | undefined]>([
  ['no label yet', 404, serve('image/svg+xml', svg), undefined],
  ['an address elsewhere', 502, serve('image/svg+xml', svg), 'http://127.0.0.1:1/labels/T1'],
  ['no address', 502, serve('image/svg+xml', svg), 'labels/T1'],
  ['a page in its place', 502, serve('text/html', '<script>'), 'http://{carrier}/labels/T1'],
  ['a label that is gone', 502, serve('image/svg+xml', svg, 404), 'http://{carrier}/labels/T1'],
  [
    'a way elsewhere',
    502,
    (_request, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    'http://{carrier}/labels/T1',
  ],
  ['a huge label', 503, serve('image/png', Buffer.alloc(300_000)), 'http://{carrier}/labels/T1'],
])('%s is answered %i', async (_, expected, answer, label) => {
  await using carrier = await setUp(answer, label)
  const { status, headers } = await carrier.http.get('/orders/o-1/label')
  expect(status).toBe(expected)
  expect(headers['content-type']).toContain('application/problem+json')
})

test('a carrier that is away is answered 503 with Retry-After; an unknown order 404', async () => {
  await using carrier = await setUp(serve('image/svg+xml', svg), 'http://{carrier}/labels/T1')
  expect((await carrier.http.get('/orders/o-2/label')).status).toBe(404)
  await carrier.close()
  const { status, headers } = await carrier.http.get('/orders/o-1/label')
  expect([status, headers['retry-after']]).toEqual([503, '1'])
})
