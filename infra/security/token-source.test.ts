import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test } from '@jest/globals'
import { createTokenSource } from './token-source.ts'

let close = () => {}
afterEach(() => close())

/** A token endpoint that hands out `token-1`, `token-2`, … */
async function openEndpoint(status: number, lifeS: number) {
  const asked: string[] = []
  const server = createServer(async (request, response) => {
    asked.push(`${request.headers.authorization} ${await text(request)}`)
    response.writeHead(status).end(JSON.stringify({ access_token: `token-${asked.length}`, expires_in: lifeS }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  close = () => void server.close()
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
  return { asked, source: createTokenSource({ url, scope: 'kafka', clientId: 'payment', clientSecret: 'se:cret' }) }
}

test('one request brings the token for all connections of its life', async () => {
  const { asked, source } = await openEndpoint(200, 300)
  const given = await Promise.all([source(), source()])
  expect([...given, await source()].map(({ value }) => value)).toEqual(['token-1', 'token-1', 'token-1'])
  const basic = Buffer.from('payment:se%3Acret').toString('base64')
  expect(asked).toEqual([`Basic ${basic} grant_type=client_credentials&scope=kafka`])
})

test('a token whose life is over is replaced', async () => {
  const { source } = await openEndpoint(200, 0)
  expect((await source()).value).toBe('token-1')
  expect((await source()).value).toBe('token-2')
})

test('a client that is refused learns which settings are wrong; the next login asks again', async () => {
  const { asked, source } = await openEndpoint(401, 300)
  const refusal = { code: 'DENIED', message: expect.stringMatching(/TALLY_KAFKA_USER and TALLY_KAFKA_PASSWORD/) }
  await expect(source()).rejects.toMatchObject(refusal)
  await expect(source()).rejects.toMatchObject(refusal)
  expect(asked).toHaveLength(2)
})
