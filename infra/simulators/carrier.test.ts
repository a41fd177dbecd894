import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import request from 'supertest'
import { silentLogger } from '../logger.ts'
import { startCarrier } from './carrier.ts'
import type { RunningSimulator } from './simulator.ts'

let dataDir: string
let carrier: RunningSimulator
const start = async (refuseRate = 0) => {
  carrier = await startCarrier({ port: 0, dataDir, seed: 1, refuseRate, latencyMs: 0, log: silentLogger })
}
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tally-carrier-'))
  await start()
})
afterEach(async () => {
  await carrier.stop()
  await rm(dataDir, { recursive: true })
})

const shipTo = { recipient: 'Ann <b> & Co', street: '1 Way', city: 'Graz', postalCode: '8010', country: 'Austria' }
const schedule = (key: string, units = 3) =>
  request(carrier.url)
    .post('/shipments')
    .set('Idempotency-Key', key)
    .send({ orderId: `o-${key}`, shipTo, units })

describe('carrier simulator', () => {
  test('a shipment gets a label and a pickup window', async () => {
    const { status, body } = await schedule('a')
    expect(status).toBe(201)
    expect(body).toEqual({
      carrier: 'Tally Parcel',
      trackingNumber: expect.stringMatching(/^TL\d{9}XX$/),
      labelUrl: `${carrier.url}/labels/${body.trackingNumber}`,
      pickupFrom: expect.any(Number),
      pickupUntil: expect.any(Number),
      scheduledAt: expect.any(Number),
    })
    expect(body.pickupFrom).toBeGreaterThan(body.scheduledAt)
    expect(body.pickupUntil).toBeGreaterThan(body.pickupFrom)
  })

  test('the label can be fetched, also after a restart, and shows no markup of the customer', async () => {
    const { trackingNumber } = (await schedule('a')).body
    await carrier.stop()
    await start()
    const label = await request(carrier.url).get(`/labels/${trackingNumber}`)
    expect(label.type).toBe('image/svg+xml')
    expect(label.body.toString()).toContain('Ann &lt;b&gt; &amp; Co')
    expect(label.body.toString()).toContain(trackingNumber)
    expect((await request(carrier.url).get('/labels/TL000000000XX')).status).toBe(404)
  })

  test('each key gets its own tracking number', async () => {
    const first = await Promise.all(['a', 'b', 'c'].map((key) => schedule(key)))
    await carrier.stop()
    await start()
    const again = await Promise.all(['a', 'b', 'c', 'd'].map((key) => schedule(key)))
    const numbers = again.map(({ body }) => body.trackingNumber)
    expect(numbers.slice(0, 3)).toEqual(first.map(({ body }) => body.trackingNumber))
    expect(new Set(numbers).size).toBe(4)
  })

  test('an address may be refused, and stays refused', async () => {
    await carrier.stop()
    await start(1)
    const answers = [await schedule('a'), await schedule('a')]
    expect(answers.map(({ status }) => status)).toEqual([422, 422])
    expect(answers[1]?.body).toEqual(answers[0]?.body)
    expect(answers[0]?.body).toMatchObject({
      code: 'undeliverable_address',
      detail: 'No delivery to Graz, Austria',
      refusedAt: expect.any(Number),
    })
  })

  test('the journal contains no address', async () => {
    await schedule('a')
    const journal = await (await fetch(`${carrier.url}/journal`)).text()
    expect(JSON.parse(journal)).toMatchObject({ key: 'a', about: { operation: 'schedule', orderId: 'o-a', units: 3 } })
    expect(journal).not.toContain('Ann')
  })

  test('an empty shipment is refused', async () => {
    expect((await schedule('a', 0)).body.code).toBe('invalid_request')
  })
})
