import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import request from 'supertest'
import { silentLogger } from '../logger.ts'
import { startGateway } from './gateway.ts'
import type { RunningSimulator } from './simulator.ts'

let dataDir: string
let gateway: RunningSimulator
const start = (declineRate = 0) =>
  startGateway({ port: 0, dataDir, seed: 1, declineRate, latencyMs: 0, log: silentLogger })

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tally-gateway-'))
  gateway = await start()
})
afterEach(async () => {
  await gateway.stop()
  await rm(dataDir, { recursive: true })
})
const restart = async (declineRate?: number) => {
  await gateway.stop()
  gateway = await start(declineRate)
}

const order = { orderId: 'o-1', amountMinor: 1250, currency: 'EUR' }
const post = (path: string, key: string, body: object = {}) =>
  request(gateway.url).post(path).set('Idempotency-Key', key).send(body)
const authorize = async (key = 'a') => (await post('/authorizations', key, order)).body.authorizationId as string
const journal = async () =>
  (await (await fetch(`${gateway.url}/journal`)).text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('gateway simulator', () => {
  test('an authorization is captured once', async () => {
    const id = await authorize()
    const captured = await post(`/authorizations/${id}/capture`, 'c', { amountMinor: 1250 })
    expect(captured.status).toBe(201)
    expect(captured.body).toEqual({ captureId: expect.stringMatching(/^capt_/), capturedAt: expect.any(Number) })

    const again = await post(`/authorizations/${id}/capture`, 'c2', { amountMinor: 1250 })
    expect(again.status).toBe(409)
    expect(again.body.code).toBe('already_captured')
    expect((await post(`/authorizations/${id}/void`, 'v')).body.code).toBe('already_captured')
  })

  test('a test card decides instead of chance', async () => {
    await restart(1)
    const pay = (paymentMethod: string) => post('/authorizations', paymentMethod, { ...order, paymentMethod })
    expect((await pay('card_test_accepted')).status).toBe(201)
    expect((await pay('card_of_others')).status).toBe(402)
    await restart(0)
    const declined = await pay('card_test_declined')
    expect([declined.status, declined.body.code]).toEqual([402, 'insufficient_funds'])
    expect((await pay('card_of_somebody')).status).toBe(201)
  })

  test('a voided authorization cannot be captured', async () => {
    const id = await authorize()
    expect((await post(`/authorizations/${id}/void`, 'v')).body).toEqual({ voidedAt: expect.any(Number) })
    const late = await post(`/authorizations/${id}/capture`, 'c', { amountMinor: 1250 })
    expect([late.status, late.body.code]).toEqual([409, 'already_voided'])
    expect(late.type).toBe('application/problem+json')
  })

  test('only the whole amount of an existing authorization can be captured', async () => {
    const id = await authorize()
    expect((await post(`/authorizations/${id}/capture`, 'c', { amountMinor: 1251 })).body.code).toBe('amount_differs')
    const unknown = await post('/authorizations/auth_none/capture', 'c2', { amountMinor: 1 })
    expect([unknown.status, unknown.body.code]).toEqual([404, 'unknown_authorization'])
  })

  test('the same key gets the same answer, also concurrently and after a restart', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => post('/authorizations', 'a', order)))
    await restart(1) // Would decline every new key
    answers.push(await post('/authorizations', 'a', order))
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201])
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)

    const id = answers[0]?.body.authorizationId
    expect((await post(`/authorizations/${id}/void`, 'v')).status).toBe(200)
    await restart()
    expect((await post(`/authorizations/${id}/capture`, 'c', { amountMinor: 1250 })).status).toBe(409)
  })

  test('the same key with another request is refused', async () => {
    const id = await authorize('a')
    const other = await post('/authorizations', 'a', { ...order, amountMinor: 1 })
    expect([other.status, other.body.code]).toEqual([409, 'idempotency_key_reused'])
    expect((await post(`/authorizations/${id}/void`, 'a')).body.code).toBe('idempotency_key_reused')
  })

  test('refusals depend on the seed and the key alone', async () => {
    await restart(0.3)
    const keys = Array.from({ length: 60 }, (_, n) => `key-${n}`)
    const statuses = async () => {
      const answers = []
      for (const key of keys) answers.push(await post('/authorizations', key, order))
      return answers.map(({ status }) => status)
    }
    const first = await statuses()
    expect(new Set(first)).toEqual(new Set([201, 402]))
    await rm(join(dataDir, 'simulators', 'gateway.ndjson'))
    await restart(0.3)
    expect(await statuses()).toEqual(first)
  })

  test('a decline has a reason', async () => {
    await restart(1)
    const { status, body } = await post('/authorizations', 'a', order)
    expect(status).toBe(402)
    expect(body).toMatchObject({ status: 402, code: expect.any(String), declinedAt: expect.any(Number) })
  })

  test('the journal has every operation with its order, amount and number of requests', async () => {
    const id = await authorize('a')
    await authorize('a')
    await post(`/authorizations/${id}/capture`, 'c', { amountMinor: 1250 })
    await restart()
    const about = { orderId: 'o-1', amountMinor: 1250, currency: 'EUR', authorizationId: id }
    expect(await journal()).toEqual([
      {
        time: expect.any(Number),
        key: 'a',
        path: '/authorizations',
        about: { operation: 'authorize', ...about },
        status: 201,
        answer: { authorizationId: id, authorizedAt: expect.any(Number) },
        seen: 2,
      },
      expect.objectContaining({ key: 'c', about: { operation: 'capture', ...about }, status: 201, seen: 1 }),
    ])
  })

  test('an answer is in the journal file before it is sent', async () => {
    const id = await authorize('a')
    expect(await readFile(join(dataDir, 'simulators', 'gateway.ndjson'), 'utf8')).toContain(id)
  })

  test.each([
    ['no key', undefined, JSON.stringify(order), 'idempotency_key_missing'],
    ['an amount below zero', 'k', JSON.stringify({ ...order, amountMinor: -1 }), 'invalid_request'],
    ['an amount beyond exact integers', 'k', '{"orderId":"o","amountMinor":1e300,"currency":"EUR"}', 'invalid_request'],
    ['no currency', 'k', '{"orderId":"o","amountMinor":1}', 'invalid_request'],
    ['broken JSON', 'k', '{"orderId"', 'unreadable_body'],
    ['nothing', 'k', '', 'invalid_request'],
  ])('%s is refused and leaves no trace', async (_, key, body, code) => {
    const response = await request(gateway.url)
      .post('/authorizations')
      .set(key ? { 'Idempotency-Key': key } : {})
      .type('json')
      .send(body)
    expect([response.status, response.body.code]).toEqual([400, code])
    expect(await readFile(join(dataDir, 'simulators', 'gateway.ndjson'), 'utf8')).toBe('')
  })

  test('an occupied port is reported', async () => {
    const port = Number(new URL(gateway.url).port)
    const second = startGateway({ port, dataDir, seed: 1, declineRate: 0, latencyMs: 0, log: silentLogger })
    await expect(second).rejects.toMatchObject({ code: 'PORT_TAKEN', message: expect.stringContaining(String(port)) })
  })
})
