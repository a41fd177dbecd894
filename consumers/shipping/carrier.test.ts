import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { startCarrier } from '../../infra/simulators/carrier.ts'
import { silentLogger } from '../../infra/logger.ts'
import { createCarrier } from './carrier.ts'

const { signal } = new AbortController()
const shipTo = { recipient: 'Ann', street: '1 Way', city: 'Graz', postalCode: '8010', country: 'Austria' }
const request = { orderId: 'o-1', shipTo, units: 2 }

test.each([
  [0, { outcome: 'scheduled', trackingNumber: expect.any(String), labelUrl: expect.stringContaining('/labels/') }],
  [1, { outcome: 'refused', code: 'undeliverable_address', detail: 'No delivery to Graz, Austria' }],
])('with a refuse rate of %i the simulator answers for good', async (refuseRate, expected) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'tally-carrier-'))
  const simulator = await startCarrier({ port: 0, dataDir, seed: 1, refuseRate, latencyMs: 0, log: silentLogger })
  try {
    const carrier = createCarrier(simulator)
    const answer = await carrier.schedule(request, { idempotencyKey: 'k', signal })
    expect(answer).toMatchObject(expected)
    expect(await carrier.schedule(request, { idempotencyKey: 'k', signal })).toEqual(answer)
    expect(await carrier.schedule({ ...request, units: 3 }, { idempotencyKey: 'k', signal })).toEqual({
      outcome: 'contradicted',
      code: 'idempotency_key_reused',
    })
  } finally {
    await simulator.stop()
    await rm(dataDir, { recursive: true })
  }
})

const scheduled = {
  carrier: 'C',
  trackingNumber: 'T',
  labelUrl: 'http://c/l',
  pickupFrom: 1_700_000_000_001,
  pickupUntil: 1_700_000_000_002,
  scheduledAt: 1_700_000_000_000,
}
test.each([
  [502, 'Bad Gateway'],
  [201, JSON.stringify({ ...scheduled, labelUrl: 'javascript:alert(1)' })],
  [201, JSON.stringify({ ...scheduled, trackingNumber: undefined })],
  [201, JSON.stringify({ ...scheduled, trackingNumber: 'x'.repeat(200) })],
  [201, JSON.stringify({ ...scheduled, scheduledAt: 5 })],
  [201, JSON.stringify({ ...scheduled, pickupFrom: scheduled.pickupUntil + 1 })],
  [422, '{"detail":"no code"}'],
])('%i %s leaves the outcome unknown', async (status, body) => {
  const server = createServer((_request, response) => response.writeHead(status).end(body))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const carrier = createCarrier({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
    const call = carrier.schedule(request, { idempotencyKey: 'k', signal })
    await expect(call).rejects.toMatchObject({ code: 'UNREACHABLE', retryable: true })
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
