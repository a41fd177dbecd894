import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startGateway } from '../../infra/simulators/gateway.ts'
import type { RunningSimulator } from '../../infra/simulators/simulator.ts'
import { silentLogger } from '../../infra/logger.ts'
import { createGateway } from './gateway.ts'

const { signal } = new AbortController()
const order = { orderId: 'o-1', amountMinor: 1250, currency: 'EUR' }

describe('gateway client, against the simulator', () => {
  let dataDir: string
  let simulator: RunningSimulator
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'tally-gateway-'))
    simulator = await startGateway({ port: 0, dataDir, seed: 1, declineRate: 0.5, latencyMs: 0, log: silentLogger })
  })
  afterAll(async () => {
    await simulator.stop()
    await rm(dataDir, { recursive: true })
  })

  /** Asks with new keys until the simulator answers as wanted. */
  async function authorize<Outcome extends 'authorized' | 'declined'>(outcome: Outcome) {
    const gateway = createGateway(simulator)
    for (let n = 0; ; n++) {
      const answer = await gateway.authorize(order, {
        idempotencyKey: `${outcome}-${expect.getState().currentTestName}-${n}`,
        signal,
      })
      if (answer.outcome === outcome) return { gateway, answer: answer as Extract<typeof answer, { outcome: Outcome }> }
    }
  }

  test('an authorization is declined with its reason', async () => {
    const { answer } = await authorize('declined')
    expect(answer).toEqual({ outcome: 'declined', code: expect.any(String), declinedAt: expect.any(Number) })
  })

  test('a hold is captured, and then cannot be voided', async () => {
    const { gateway, answer } = await authorize('authorized')
    const request = { authorizationId: answer.authorizationId, amountMinor: 1250 }
    const capture = () => gateway.capture(request, { idempotencyKey: 'capture', signal })
    const captured = await capture()
    expect(captured).toEqual({ outcome: 'captured', captureId: expect.any(String), capturedAt: expect.any(Number) })
    expect(await capture()).toEqual(captured)
    expect(await gateway.void(request, { idempotencyKey: 'void', signal })).toEqual({
      outcome: 'contradicted',
      code: 'already_captured',
    })
  })

  test('a hold is voided, and then cannot be captured', async () => {
    const { gateway, answer } = await authorize('authorized')
    const request = { authorizationId: answer.authorizationId, amountMinor: 1250 }
    expect(await gateway.void(request, { idempotencyKey: 'void-2', signal })).toMatchObject({ outcome: 'voided' })
    expect(await gateway.capture(request, { idempotencyKey: 'capture-2', signal })).toEqual({
      outcome: 'contradicted',
      code: 'already_voided',
    })
  })

  test('a contradiction is definite: a reused key, an unknown hold, an amount that cannot be', async () => {
    const { gateway } = await authorize('authorized')
    await gateway.authorize(order, { idempotencyKey: 'k', signal })
    const contradicted = (code: string) => ({ outcome: 'contradicted', code })
    const reused = gateway.authorize({ ...order, amountMinor: 1 }, { idempotencyKey: 'k', signal })
    expect(await reused).toEqual(contradicted('idempotency_key_reused'))
    const unknown = gateway.void({ authorizationId: 'a/../b?' }, { idempotencyKey: 'u', signal })
    expect(await unknown).toEqual(contradicted('unknown_authorization'))
    const negative = gateway.authorize({ ...order, amountMinor: -1 }, { idempotencyKey: 'n', signal })
    expect(await negative).toEqual(contradicted('invalid_request'))
  })
})

describe('gateway client, against nonsense', () => {
  let server: Server
  let answer: { status: number; body: string }
  beforeAll(async () => {
    server = createServer((_request, response) => response.writeHead(answer.status).end(answer.body))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  test.each([
    [500, '{"code":"internal"}'],
    [503, 'Service Unavailable'],
    [200, '{"authorizationId":"a","authorizedAt":1700000000000}'],
    [201, '{"authorizationId":"","authorizedAt":1700000000000}'],
    [201, '{"authorizationId":"a","authorizedAt":"yesterday"}'],
    [201, '{"authorizationId":"a","authorizedAt":5}'],
    [201, '{"authorizationId":"a\\u0000","authorizedAt":1700000000000}'],
    [201, `{"authorizationId":"${'a'.repeat(200)}","authorizedAt":1700000000000}`],
    [201, '<html>Welcome</html>'],
    [402, '<html>Payment required</html>'],
    [201, 'null'],
    [402, '{"code":"insufficient_funds"}'],
    [404, '{"code":"not_found"}'],
    [409, '{"code":"something_new"}'],
  ])('%i %s leaves the outcome unknown', async (status, body) => {
    answer = { status, body }
    const gateway = createGateway({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
    const call = gateway.authorize(order, { idempotencyKey: 'k', signal })
    await expect(call).rejects.toMatchObject({ code: 'UNREACHABLE', retryable: true })
  })
})
