import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { loadConfig } from '../../../../infra/config.ts'
import { tokenOf } from '../../../../producers/orders-api/testing/guarded-app.ts'
import type { Claims } from '../../../../producers/orders-api/testing/guarded-app.ts'
import { securedSettings } from '../../testing/secured-settings.ts'
import { startConsole } from '../start-console.ts'

const folder = mkdtempSync(join(tmpdir(), 'tally-sign-in-'))
const secured = securedSettings(folder)
const running: { stop(): Promise<void> }[] = []
afterAll(async () => {
  await Promise.all(running.map((each) => each.stop()))
  rmSync(folder, { recursive: true })
})

/** A console without any other server. */
async function serve(settings: Record<string, string> = secured) {
  const logged: string[] = []
  const log = pino(new Writable({ write: (line, _, done) => (logged.push(String(line)), done()) }))
  const started = await startConsole({ config: loadConfig(settings), log, port: 0 })
  running.push(started)
  const ask = (path: string, init?: RequestInit) => fetch(`${started.url}${path}`, init)
  const post = (path: string, body: object | string, headers: Record<string, string> = {}) =>
    ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  return { url: started.url, logged, ask, post }
}
type Served = Awaited<ReturnType<typeof serve>>

const operator = (claims: Claims = {}) => tokenOf({ sub: 'anna', scope: 'operations', ...claims })
const bare = async (claims?: Claims) => (await operator(claims)).replace('Bearer ', '')
/** The pair of name and value that a browser sends back. */
const cookieOf = (answer: Response): string => answer.headers.get('set-cookie')?.split(';')[0] ?? ''
const detailOf = async (answer: Response): Promise<unknown> => ((await answer.json()) as { detail?: unknown }).detail

const routes: Readonly<Record<string, (console: Served, headers?: Record<string, string>) => Promise<Response>>> = {
  'the stream': ({ ask }, headers) => ask('/api/stream?watch=proof', { headers }),
  'a feed': ({ ask }, headers) => ask('/api/feeds/proof', { headers }),
  'an act': ({ post }, headers) => post('/api/acts/replay-pause', {}, headers),
  'an interruption': ({ post }, headers) => post('/api/jobs/1/interruption', {}, headers),
  'who is signed in': ({ ask }, headers) => ask('/api/session', { headers }),
  'what is not there': ({ ask }, headers) => ask('/api/nothing', { headers }),
}

describe('a console whose orders API asks for tokens', () => {
  let console: Served
  beforeAll(async () => {
    console = await serve()
  })

  test.each(Object.keys(routes))('%s demands one with the scope operations', async (name) => {
    const statuses = async (authorization?: string) => {
      const answer = await routes[name]!(console, authorization === undefined ? {} : { authorization })
      await answer.body?.cancel()
      return [answer.status, answer.headers.get('content-type')]
    }
    expect(await statuses()).toEqual([401, 'application/problem+json; charset=utf-8'])
    expect(await statuses(await tokenOf({}))).toEqual([403, 'application/problem+json; charset=utf-8'])
    expect((await statuses(await operator()))[0]).not.toBe(401)
    expect((await statuses(await operator()))[0]).not.toBe(403)
  })

  test.each<[string, () => Promise<string>, number, string]>([
    ['without the scope', () => bare({ scope: 'orders:any' }), 403, 'This needs a token with the scope operations.'],
    ['expired', () => bare({ exp: '-1m' }), 401, 'The token has expired.'],
    [
      'for another service',
      () => bare({ aud: 'payments' }),
      401,
      'The token is for another service, or not valid yet (aud).',
    ],
    ['with another signature', async () => `${(await bare()).slice(0, -4)}AAAA`, 401, 'The token is not valid.'],
    [
      'that is none',
      async () => 'let me in; Path=/',
      422,
      'This is no token: one has three parts with a dot between them.',
    ],
    ['that is empty', async () => ' ', 422, 'Paste a token.'],
    [
      'too long for a cookie',
      async () => `${'a'.repeat(4_000)}.b.c`,
      422,
      'A browser keeps no token of more than 3800 characters.',
    ],
    ['larger than any', async () => 'a'.repeat(20_000), 413, 'The body cannot be read.'],
  ])('a token %s signs nobody in, in one sentence', async (_, make, status, detail) => {
    const { post, logged } = console
    const token = await make()
    const answer = await post('/api/sign-in', { token })
    expect([answer.status, await detailOf(answer), cookieOf(answer)]).toEqual([status, detail, ''])
    if (token.trim() !== '') expect(logged.join('')).not.toContain(token)
  })

  test('a token becomes a cookie that no script and no other site gets, and that ends with it', async () => {
    const token = await bare()
    const answer = await console.post('/api/sign-in', {
      token: ` Bearer ${token.slice(0, 80)}\n  ${token.slice(80)}\n`,
    })
    expect(await answer.text()).not.toContain(token)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const [pair, ...attributes] = answer.headers.get('set-cookie')?.split('; ') ?? []
    expect(pair).toBe(`tally-console-${new URL(console.url).port}=${token}`)
    expect(attributes).toEqual(expect.arrayContaining(['Path=/api', 'HttpOnly', 'SameSite=Strict']))
    const seconds = Number(/^Max-Age=(\d+)$/.exec(attributes.find((each) => each.startsWith('Max-Age'))!)![1])
    expect(seconds).toBeGreaterThan(3_590)
    expect(seconds).toBeLessThanOrEqual(3_605)
    const cookie = cookieOf(answer)
    expect(await (await console.ask('/api/session', { headers: { cookie } })).json()).toMatchObject({ subject: 'anna' })
    expect((await console.ask('/api/feeds/proof', { headers: { cookie } })).status).toBe(200)
    expect(console.logged.join('')).toContain('"operator":"anna"')
    expect(console.logged.join('')).not.toContain(token)
  })

  test('a restarted server knows the session; signing out takes the cookie back', async () => {
    const value = cookieOf(await console.post('/api/sign-in', { token: await bare() })).split('=')[1]
    const after = await serve()
    const cookie = `tally-console-${new URL(after.url).port}=${value}`
    expect((await after.ask('/api/feeds/proof', { headers: { cookie } })).status).toBe(200)
    const left = await after.post('/api/sign-out', {}, { cookie })
    expect([left.status, cookieOf(left).split('=')[1]]).toEqual([200, ''])
    expect(left.headers.get('set-cookie')).toMatch(/Path=\/api; Expires=Thu, 01 Jan 1970/)
  })

  test('a header counts before the cookie; of two cookies, none counts', async () => {
    const { ask, post } = console
    const cookie = cookieOf(await post('/api/sign-in', { token: await bare() }))
    const other = { cookie, authorization: await operator({ sub: 'bob' }) }
    expect(await (await ask('/api/session', { headers: other })).json()).toMatchObject({ subject: 'bob' })
    const wrong = { cookie, authorization: 'Bearer x' }
    expect((await ask('/api/session', { headers: wrong })).status).toBe(401)
    const two = `${cookie}; ${cookie.split('=')[0]}=${await bare({ sub: 'mallory' })}`
    const answer = await ask('/api/session', { headers: { cookie: two } })
    expect([answer.status, await detailOf(answer)]).toEqual([401, expect.stringMatching('clear the cookies')])
  })

  test('no page of another site signs in, out, or acts', async () => {
    const { post } = console
    const token = await bare()
    const cookie = cookieOf(await post('/api/sign-in', { token }))
    const origin = 'http://127.0.0.1:3000'
    for (const path of ['sign-in', 'sign-out', 'acts/verify']) {
      const answer = await post(`/api/${path}`, { token }, { origin, cookie })
      expect([path, answer.status, cookieOf(answer)]).toEqual([path, 403, ''])
    }
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    expect((await post('/api/sign-in', `token=${token}`, form)).status).toBe(415)
  })

  test('a stream says who is signed in, and ends with the token', async () => {
    const { ask } = console
    const authorization = await operator({ exp: '-3s' }) // It is accepted 5 s longer, for clocks that differ
    const events = await (await ask('/api/stream', { headers: { authorization } })).text()
    expect(events).toMatch(/^event: hello\ndata: .*"session":\{"subject":"anna","endsAt":"20/)
    expect(events).toMatch(/event: over\ndata: \{\}\n\n$/)
  })
})

test('while the key set of the identity provider is away, that is what is said', async () => {
  const { ask } = await serve({ TALLY_API_JWKS_URL: 'http://127.0.0.1:1/keys' })
  const answer = await ask('/api/feeds/proof', { headers: { authorization: await operator() } })
  expect([answer.status, await detailOf(answer)]).toEqual([
    503,
    expect.stringMatching(/^The key set at http:\/\/127\.0\.0\.1:1\/keys cannot be had/),
  ])
})

test('without settings for tokens the console asks for none', async () => {
  const { ask } = await serve({})
  expect(await (await ask('/api/session')).json()).toEqual({})
  expect((await ask('/api/feeds/proof')).status).toBe(200)
  const reader = (await ask('/api/stream')).body!.getReader()
  const { value } = await reader.read()
  expect(new TextDecoder().decode(value)).toMatch(/^event: hello\ndata: \{"boot":"[^"]+","actor":"[^"]+"\}\n\n/)
  await reader.cancel()
})
