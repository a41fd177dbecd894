import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import { exportJWK, SignJWT } from 'jose'
import supertest from 'supertest'
import { audience, guardedApp, issuer, keys, order, tokenOf } from '../testing/guarded-app.ts'
import type { Claims } from '../testing/guarded-app.ts'

const requests = {
  place: (http: ReturnType<typeof supertest>) => http.post('/orders').send(order),
  cancel: (http: ReturnType<typeof supertest>) => http.post('/orders/o-1/cancellation').send({ reason: 'late' }),
  read: (http: ReturnType<typeof supertest>) => http.get('/orders/o-1'),
  price: (http: ReturnType<typeof supertest>) =>
    http.put('/products/tea').send({ name: 'Tea', unitPriceMinor: '1', currency: 'EUR' }),
  list: (http: ReturnType<typeof supertest>) => http.get('/products'),
  ready: (http: ReturnType<typeof supertest>) => http.get('/ready'),
  health: (http: ReturnType<typeof supertest>) => http.get('/health'),
}
type Name = keyof typeof requests

describe('what each token gives access to, and nothing else', () => {
  test.each<[string, Claims | undefined, Record<Name, number>]>([
    ['none', undefined, { place: 401, cancel: 401, read: 401, price: 401, list: 401, ready: 401, health: 200 }],
    ['the customer', {}, { place: 201, cancel: 202, read: 200, price: 403, list: 200, ready: 403, health: 200 }],
    [
      'another customer',
      { sub: 'c-9' },
      { place: 403, cancel: 404, read: 404, price: 403, list: 200, ready: 403, health: 200 },
    ],
    ['no scope', { scope: '' }, { place: 403, cancel: 403, read: 403, price: 403, list: 200, ready: 403, health: 200 }],
    [
      'orders:any',
      { sub: 'desk', scope: 'orders:any' },
      { place: 201, cancel: 202, read: 200, price: 403, list: 200, ready: 403, health: 200 },
    ],
    [
      'catalogue:write',
      { sub: 'shop', scope: 'catalogue:write' },
      { place: 403, cancel: 403, read: 403, price: 200, list: 200, ready: 403, health: 200 },
    ],
    [
      'operations',
      { sub: 'ops', scope: 'operations' },
      { place: 403, cancel: 403, read: 403, price: 403, list: 200, ready: 200, health: 200 },
    ],
  ])('%s', async (_, claims, expected) => {
    const { app } = guardedApp()
    const authorization = claims && (await tokenOf(claims))
    const found: Record<string, number> = {}
    for (const name of Object.keys(requests) as Name[]) {
      const request = requests[name](supertest(app))
      if (authorization) request.set({ authorization })
      found[name] = (await request).status
    }
    expect(found).toEqual(expected)
  })

  test('the order of another is not told from one that does not exist', async () => {
    const { app } = guardedApp()
    const authorization = await tokenOf({ sub: 'c-9' })
    const [theirs, none] = [
      await supertest(app).get('/orders/o-1').set({ authorization }),
      await supertest(app).get('/orders/o-0').set({ authorization }),
    ]
    expect(theirs.text.replace('o-1', '')).toBe(none.text.replace('o-0', ''))
  })

  test('the customer of an order is known before its projection is', async () => {
    const { app } = guardedApp()
    const asked = async (sub: string) =>
      (
        await supertest(app)
          .get('/orders/o-2')
          .set({ authorization: await tokenOf({ sub }) })
      ).status
    expect([await asked('c-2'), await asked('c-1')]).toEqual([200, 404])
  })
})

describe('tokens that do not count', () => {
  const unsigned = `${[{ alg: 'none' }, { sub: 'c-1', scope: 'orders:any', iss: issuer, aud: audience, exp: 9e9 }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')}.`
  test.each<[string, () => Promise<string>]>([
    ['expired', () => tokenOf({ exp: '-1m' })],
    ['of another issuer', () => tokenOf({ iss: 'https://elsewhere.example' })],
    ['for another service', () => tokenOf({ aud: 'payments' })],
    ['not valid yet', () => tokenOf({ nbf: '1h' })],
    ['without a signature', async () => `Bearer ${unsigned}`],
    [
      'with the public key as a shared secret',
      async () => {
        const secret = Buffer.from(keys.publicKey.export({ format: 'pem', type: 'spki' }))
        const forged = new SignJWT({ scope: 'orders:any' }).setProtectedHeader({ alg: 'HS256' }).setSubject('c-1')
        return `Bearer ${await forged.setIssuer(issuer).setAudience(audience).setExpirationTime('1h').sign(secret)}`
      },
    ],
    [
      'signed by another key',
      async () => {
        const other = generateKeyPairSync('ed25519').privateKey
        const forged = new SignJWT({ scope: 'orders:any' }).setProtectedHeader({ alg: 'EdDSA' }).setSubject('c-1')
        return `Bearer ${await forged.setIssuer(issuer).setAudience(audience).setExpirationTime('1h').sign(other)}`
      },
    ],
    ['another scheme', async () => 'Basic dXNlcjpwYXNz'],
    ['nonsense', async () => 'Bearer nonsense'],
  ])('%s', async (_, make) => {
    const { app, written } = guardedApp()
    const answer = await requests.place(supertest(app)).set({ authorization: await make() })
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer error="invalid_token"')
    expect(written).toEqual([])
  })
})

test('a token without an end is not accepted', async () => {
  const endless = new SignJWT({ scope: 'orders:any' }).setProtectedHeader({ alg: 'EdDSA' }).setSubject('c-1')
  const authorization = `Bearer ${await endless.setIssuer(issuer).setAudience(audience).sign(keys.privateKey)}`
  expect((await supertest(guardedApp().app).get('/orders/o-1').set({ authorization })).status).toBe(401)
})

describe('a key set of an identity provider', () => {
  test('verifies tokens by the key that they name; while it is away, no token is refused for good', async () => {
    let away = true
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'EdDSA' }
    const provider = createServer((_, response) => {
      response.writeHead(away ? 503 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ keys: [jwk] }))
    }).listen(0, '127.0.0.1')
    await once(provider, 'listening')
    try {
      const { app } = guardedApp({ jwksUrl: `http://127.0.0.1:${(provider.address() as AddressInfo).port}/jwks` })
      const signed = new SignJWT({ scope: 'orders:own' }).setProtectedHeader({ alg: 'EdDSA', kid: 'k1' })
      signed.setSubject('c-1').setIssuer(issuer).setAudience(audience).setExpirationTime('1h')
      const authorization = `Bearer ${await signed.sign(keys.privateKey)}`
      expect((await requests.read(supertest(app)).set({ authorization })).status).toBe(503)
      away = false
      expect((await requests.read(supertest(app)).set({ authorization })).status).toBe(200)
    } finally {
      provider.close()
    }
  })
})

test('keys of different subjects are different keys', async () => {
  const { app, written } = guardedApp()
  for (const claims of [{ sub: 'desk', scope: 'orders:any' }, {}])
    await requests.place(supertest(app)).set({ authorization: await tokenOf(claims), 'idempotency-key': 'k' })
  expect(written.map(({ idempotency }) => idempotency?.key)).toEqual(['desk k', 'c-1 k'])
})
