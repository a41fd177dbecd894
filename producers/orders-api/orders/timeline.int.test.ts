import { once } from 'node:events'
import { join } from 'node:path'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import supertest from 'supertest'
import { migrate } from '../../../infra/postgres/migrate.ts'
import { inTransaction } from '../../../infra/postgres/transaction.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { decideOrderStatus } from '../../../consumers/order-status/decide-order-status.ts'
import type { OrderEvent } from '../../../consumers/order-status/summarize.ts'
import { orderStatusTable } from '../../../consumers/order-status/order-status-table.ts'
import { createOrdersBench } from '../testing/orders-bench.ts'
import type { OrdersBench, Replica } from '../testing/orders-bench.ts'

let bench: OrdersBench
let api: Replica
beforeAll(async () => {
  bench = await createOrdersBench()
  api = await bench.start('reader', { kafkaAway: true, heartbeatMs: 20 })
})
afterAll(() => bench[Symbol.asyncDispose]())

const time = Date.UTC(2026, 0, 31, 12)
const authorized: OrderEvent = {
  type: 'PaymentAuthorized',
  data: { orderId: 'o', authorizationId: 'a-1', amountMinor: 900, currency: 'EUR', authorizedAt: time },
}
const reserved: OrderEvent = { type: 'StockReserved', data: { orderId: 'o', lines: [], reservedAt: time } }
const cancelled: OrderEvent = {
  type: 'FulfilmentCancelled',
  data: { orderId: 'o', reason: 'requested', detail: '', cancelledAt: time },
}

/** Does what the projection does with a batch of events of one order. */
const project = (orderId: string, ...events: OrderEvent[]) =>
  inTransaction(bench.projection, async (tx) => {
    const loaded = await orderStatusTable.load(tx, [orderId])
    let state = loaded.get(orderId) ?? orderStatusTable.initial(orderId)
    for (const [offset, event] of events.entries()) {
      const at = { topic: 'any', partition: 1, offset }
      state = decideOrderStatus(event, state, { key: orderId, eventId: `id-${event.type}`, time, at }).state ?? state
    }
    await orderStatusTable.save(tx, new Map([[orderId, state]]))
  })

interface Stream {
  response: IncomingMessage
  /** All that came, comments included. */
  text(): string
  /** Names and ids of the events that came. */
  events(): string[]
  close(): void
}

async function follow(orderId: string, lastEventId?: string): Promise<Stream> {
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const asked = request(`${api.url}/orders/${orderId}/events`, { headers }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  response.on('error', () => {})
  const events = () =>
    text.split('\n\n').flatMap((block) => {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
      return field('event') ? [`${field('event')} ${field('id') ?? ''}`.trim()] : []
    })
  return { response, text: () => text, events, close: () => asked.destroy() }
}

describe('an order the projection knows', () => {
  test('is shown with its timeline, int64 as strings', async () => {
    await project('o-shown', authorized, reserved)
    const { status, body } = await supertest(api.url).get('/orders/o-shown')
    expect(status).toBe(200)
    expect(body).toEqual({
      orderId: 'o-shown',
      status: 'ready',
      reason: null,
      customerId: null,
      currency: null,
      totalMinor: null,
      placedAt: null,
      updatedAt: '2026-01-31T12:00:00.000Z',
      endedAt: null,
      shipment: null,
      timeline: [
        expect.objectContaining({ seq: 1, type: 'PaymentAuthorized', topic: 'any', partition: 1, offset: '0' }),
        expect.objectContaining({ seq: 2, type: 'StockReserved', eventId: 'id-StockReserved', offset: '1' }),
      ],
    })
  })

  test('cannot be cancelled any more once it has ended', async () => {
    await project('o-ended', cancelled)
    const { status, body } = await supertest(api.url).post('/orders/o-ended/cancellation').send({ reason: 'x' })
    expect({ status, detail: body.detail }).toEqual({ status: 409, detail: 'The order is already cancelled.' })
  })

  test('can be cancelled before, though it was not placed here', async () => {
    await project('o-elsewhere', reserved)
    await supertest(api.url).post('/orders/o-elsewhere/cancellation').send({ reason: 'x' }).expect(202)
  })
})

const scheduled: OrderEvent = {
  type: 'ShipmentScheduled',
  data: {
    ...{ orderId: 'o', carrier: 'Swift', trackingNumber: 'T1', labelUrl: 'http://127.0.0.1:1/labels/T1' },
    ...{ pickupFrom: time, pickupUntil: time + 1, scheduledAt: time },
  },
}

test('a shipment is shown without the address of its label, which only this service may reach', async () => {
  await project('o-parcel', scheduled)
  const { body, text } = await supertest(api.url).get('/orders/o-parcel')
  expect(body.shipment).toEqual({
    ...{ carrier: 'Swift', trackingNumber: 'T1' },
    ...{ pickupFrom: '2026-01-31T12:00:00.000Z', pickupUntil: '2026-01-31T12:00:00.001Z' },
  })
  expect(text).not.toContain('labels')
  expect((await supertest(api.url).get('/orders/o-parcel/label')).status).toBe(502) // Not the carrier's address
  expect((await supertest(api.url).get('/orders/o-shown/label')).status).toBe(404)
})

test('stock is that of the table of inventory; without inventory there is none', async () => {
  const { namespace } = bench.sandbox
  expect((await supertest(api.url).get('/stock')).body).toEqual({ items: [], next: null })
  const folders = [{ name: 'own', path: join(import.meta.dirname, '../../../consumers/inventory/sql') }]
  const { log, config } = bench.sandbox
  await migrate({ url: config.postgres.url, schema: `${namespace}inventory`, folders, log })
  await bench.pool.query(`insert into ${namespace}inventory.stock values ('cup', 0, 2, 1, 3), ('tea', $1, 0, 0, $1)`, [
    '9007199254740993',
  ])
  await waitUntil('a reading of now', async () => (await supertest(api.url).get('/stock')).body.items.length === 2)
  expect((await supertest(api.url).get('/stock')).body.items).toEqual([
    { sku: 'cup', onHand: '0' },
    { sku: 'tea', onHand: '9007199254740993' },
  ])
})

describe('following an order', () => {
  test('gives what there is, then what comes, then the end', async () => {
    await project('o-live', authorized)
    const stream = await follow('o-live')
    expect(stream.response.headers['content-type']).toContain('text/event-stream')
    await waitUntil('the first entry', () => stream.events().length === 1)
    await project('o-live', reserved)
    await waitUntil('the second entry', () => stream.events().length === 2)
    await waitUntil('a heartbeat', () => stream.text().includes(': heartbeat'))
    const ended = once(stream.response, 'end')
    await project('o-live', cancelled)
    await ended
    expect(stream.events()).toEqual(['entry 1', 'entry 2', 'entry 3', 'end'])
    expect(stream.text()).toContain('"status":"cancelled","reason":"requested"')
  })

  test('resumes after the last entry received; several watch the same order', async () => {
    await project('o-resume', authorized, reserved)
    const streams = await Promise.all([follow('o-resume', '1'), follow('o-resume'), follow('o-resume', '2')])
    await waitUntil('what is missing', () => streams[0]?.events().length === 1 && streams[1]?.events().length === 2)
    await project('o-resume', cancelled)
    await waitUntil('all to end', () => streams.every(({ response }) => response.readableEnded))
    expect(streams.map((stream) => stream.events())).toEqual([
      ['entry 2', 'entry 3', 'end'],
      ['entry 1', 'entry 2', 'entry 3', 'end'],
      ['entry 3', 'end'],
    ])
  })

  test('an order that has ended gives all and ends, and tells who has it all not to come back', async () => {
    await project('o-over', reserved, cancelled)
    const stream = await follow('o-over')
    await once(stream.response, 'end')
    expect(stream.events()).toEqual(['entry 1', 'entry 2', 'end'])
    expect((await follow('o-over', '2')).response.statusCode).toBe(204)
  })

  test('refuses an unknown order and a bad position', async () => {
    expect((await follow('nobody')).response.statusCode).toBe(404)
    expect((await follow('o-over', 'x')).response.statusCode).toBe(400)
  })

  test('a replica that stops ends its streams without an `end`, so that clients come back', async () => {
    const other = await bench.start('leaving', { kafkaAway: true })
    await project('o-leaving', authorized)
    const asked = request(`${other.url}/orders/o-leaving/events`).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    await waitUntil('the entry', () => text.includes('event: entry'))
    const ended = once(response, 'end')
    await other.stop()
    await ended
    expect(text).not.toContain('event: end')
  })
})
