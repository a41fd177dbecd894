import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { createJsonClient } from './json-client.ts'

let server: Server
const serve = async (listener: RequestListener): Promise<string> => {
  server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const answers = { 201: z.object({ id: z.string() }) }
const options = { idempotencyKey: 'k', signal: new AbortController().signal }
const post = (url: string, { timeoutMs = 5_000, signal = options.signal } = {}) =>
  createJsonClient({ name: 'bank', url, setting: 'TALLY_BANK_URL', timeoutMs }).post('/things', { n: 1 }, answers, {
    ...options,
    signal,
  })

describe('JSON client', () => {
  test('sends key and body below the base path and resolves with a definite answer', async () => {
    const url = await serve(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      const id = [request.method, request.url, request.headers['idempotency-key'], body].join(' ')
      response.writeHead(201).end(JSON.stringify({ id, more: true }))
    })
    expect(await post(`${url}/v1/`)).toEqual({ id: 'POST /v1/things k {"n":1}' })
  })

  test('sends user and password of its address, and names them in no text', async () => {
    const seen: unknown[] = []
    const url = await serve((request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(seen.length === 1 ? 401 : 403).end()
    })
    const address = url.replace('://', '://tally:p%40ss@')
    for (const status of [401, 403]) {
      const message = `The bank refuses access (${status}): correct the user and password, or token, in TALLY_BANK_URL, then restart`
      await expect(post(address)).rejects.toMatchObject({ code: 'DENIED', retryable: false, message })
    }
    expect(seen).toEqual(Array(2).fill(`Basic ${btoa('tally:p@ss')}`))
  })

  test.each([
    ['another status', 500, '{"id":"x"}', 'The bank answered 500'],
    ['too many requests', 429, '', 'The bank answered 429'],
    ['a success that is not part of the contract', 200, '{"id":"x"}', 'The bank answered 200'],
    ['a redirect', 302, '', 'The bank answered 302'],
    ['no body', 201, '', 'should not have (body:'],
    ['a web page', 201, '<html>', 'should not have (body:'],
    ['another shape', 201, '{"id":1}', 'should not have (id:'],
    ['an endless body', 201, ' '.repeat(100_000), 'does not answer'],
  ])('%s leaves the outcome unknown', async (_, status, body, message) => {
    const url = await serve((_request, response) => response.writeHead(status).end(body))
    await expect(post(url)).rejects.toMatchObject({
      code: 'UNREACHABLE',
      retryable: true,
      message: expect.stringContaining(message),
    })
  })

  test('silence, half an answer, a cut connection and a closed port leave it unknown', async () => {
    const unknown = { code: 'UNREACHABLE', message: 'The bank does not answer' }
    const silent = await serve(() => {})
    await expect(post(silent, { timeoutMs: 30 })).rejects.toMatchObject(unknown)
    server.closeAllConnections()
    server.removeAllListeners('request').on('request', (_request, response) => response.writeHead(201).write('{"id":'))
    await expect(post(silent, { timeoutMs: 30 })).rejects.toMatchObject(unknown)
    server.removeAllListeners('request').on('request', (request) => request.socket.destroy())
    await expect(post(silent)).rejects.toMatchObject(unknown)
    server.closeAllConnections()
    server.close()
    await expect(post(silent)).rejects.toMatchObject(unknown)
  })

  test('an aborted call ends at once', async () => {
    const aborting = new AbortController()
    const url = await serve(() => aborting.abort())
    await expect(post(url, { signal: aborting.signal })).rejects.toMatchObject({ code: 'UNREACHABLE' })
  })
})
