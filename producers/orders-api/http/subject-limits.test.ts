import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import supertest from 'supertest'
import { guardedApp, tokenOf } from '../testing/guarded-app.ts'
import type { Claims } from '../testing/guarded-app.ts'
import { listen } from './http-server.ts'
import { SubjectLimits } from './subject-limits.ts'

describe('limits', () => {
  test('a customer gets ten seconds of the rate at once, and those who act for all are not limited', async () => {
    const { app } = guardedApp({ rate: 1 })
    const statuses = async (claims: Claims) => {
      const authorization = await tokenOf(claims)
      const answers = []
      for (let sent = 0; sent < 12; sent++) answers.push(await supertest(app).get('/products').set({ authorization }))
      return answers
    }
    const own = await statuses({})
    expect(own.map(({ status }) => status)).toEqual([...Array<number>(10).fill(200), 429, 429])
    expect(own.at(-1)?.headers['retry-after']).toBe('1')
    expect((await statuses({ sub: 'c-2' }))[0]?.status).toBe(200)
    expect((await statuses({ sub: 'desk', scope: 'orders:any' })).every(({ status }) => status === 200)).toBe(true)
  })

  test('a customer may follow ten orders at a time', () => {
    const limits = new SubjectLimits(1)
    const caller = { subject: 'c-1', may: (scope: string) => scope === 'orders:own' }
    const open = Array.from({ length: 10 }, () => limits.openStream(caller))
    expect(open.every((close) => close !== undefined)).toBe(true)
    expect(limits.openStream(caller)).toBeUndefined()
    open[0]?.()
    expect(limits.openStream(caller)).toBeDefined()
  })

  test('the allowance grows with time, and the quietest of many subjects is forgotten', () => {
    let now = 0
    const limits = new SubjectLimits(2, () => now)
    const caller = (subject: string) => ({ subject, may: () => false })
    for (let sent = 0; sent < 20; sent++) expect(limits.exceededBy(caller('c-1'))).toBeUndefined()
    expect(limits.exceededBy(caller('c-1'))).toBe(1)
    now = 500
    expect(limits.exceededBy(caller('c-1'))).toBeUndefined()
    expect(limits.exceededBy(caller('c-1'))).toBe(1)
    for (let other = 0; other < 10_000; other++) limits.exceededBy(caller(`x-${other}`))
    expect(limits.exceededBy(caller('c-1'))).toBeUndefined()
  })

  test('connections beyond the limit are closed', async () => {
    const { app } = guardedApp()
    await using stack = new AsyncDisposableStack()
    const server = stack.adopt(await listen(app, { host: '127.0.0.1', port: 0, connections: 2 }), (own) => own.stop(0))
    const open = () => connect({ host: '127.0.0.1', port: Number(new URL(server.url).port) })
    const [first, second] = [open(), open()]
    await Promise.all([once(first, 'connect'), once(second, 'connect')])
    const third = open()
    third.on('error', () => {})
    await once(third, 'close')
    for (const socket of [first, second]) socket.destroy()
  })
})

describe('browsers', () => {
  test('a request under another name is refused, whatever it asks: the page of another site may send it', async () => {
    const { app } = guardedApp()
    for (const host of ['evil.example', 'evil.example:28080', '127.0.0.1.evil.example', ''])
      expect((await supertest(app).get('/health').set({ host })).status).toBe(421)
    for (const host of ['localhost:28080', '[::1]:28080', 'LOCALHOST'])
      expect((await supertest(app).get('/health').set({ host })).status).toBe(200)
  })

  test('nothing is kept or read as a page', async () => {
    const { app } = guardedApp()
    expect((await supertest(app).get('/health')).headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    })
  })
})
