import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readEvents } from '../outbox/testing/stored-events.ts'
import supertest from 'supertest'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { laneOf } from '../../schemas/partition.ts'
import { proxyDatabase } from './testing/database-proxy.ts'
import { createOrdersBench, freePort, newOrder, partitions } from './testing/orders-bench.ts'
import type { OrdersBench } from './testing/orders-bench.ts'

/** No broker is there for any replica here, so the outbox keeps all that was ever written. */
const kafkaAway = true

let bench: OrdersBench
beforeAll(async () => {
  bench = await createOrdersBench()
})
afterAll(() => bench[Symbol.asyncDispose]())

interface Stored {
  orders: number
  events: number
  keys: number
}

async function stored(): Promise<Stored> {
  const { rows } = await bench.pool.query<Stored>(
    `select (select count(*) from placed_order) as orders, (select coalesce(sum(last_seq - first_seq + 1), 0)::int from outbox_batch) as events,
       (select count(*) from idempotency) as keys`,
  )
  return rows[0] as Stored
}

const place = (url: string, key?: string, order = newOrder) =>
  supertest(url)
    .post('/orders')
    .set(key ? { 'idempotency-key': key } : {})
    .send(order)

describe('accepting orders while Kafka is away', () => {
  test('stores the order and its event, and shows it before any consumer has seen it', async () => {
    const { url } = await bench.start('first', { kafkaAway })
    const { status, headers, body } = await place(url)
    expect(status).toBe(201)

    const { rows } = await bench.pool.query('select event_id, total_minor from placed_order where order_id = $1', [
      body.orderId,
    ])
    expect(rows).toMatchObject([{ total_minor: 900 }])
    const events = (await readEvents(bench.pool)).filter(({ key }) => key === body.orderId)
    expect(events).toHaveLength(1)
    const lane = laneOf(body.orderId, partitions)
    expect(events[0]).toMatchObject({
      ...{ lane, topic: 'orders', eventId: rows[0].event_id },
      headers: { ce_source: '/tally/orders-api', ce_sourcelane: `orders-api/${lane}` },
    })
    expect([...(events[0]?.value.subarray(0, 5) ?? [])]).toEqual([0, 0, 0, 0, 1])

    const shown = await supertest(url).get(String(headers['location']))
    expect(shown.body).toMatchObject({ orderId: body.orderId, status: 'placed', totalMinor: '900', timeline: [] })
    expect(shown.body.placedAt).toBe(body.placedAt)
  })

  test('200 orders at once are 200 orders, and their events are numbered without a gap', async () => {
    const { url } = await bench.start('crowd', { kafkaAway })
    const before = await stored()
    const answers = await Promise.all(Array.from({ length: 200 }, () => place(url)))
    expect(answers.filter(({ status }) => status !== 201)).toEqual([])
    expect(new Set(answers.map(({ body }) => body.orderId)).size).toBe(200)
    expect(await stored()).toEqual({ orders: before.orders + 200, events: before.events + 200, keys: before.keys })
    await expectGapless()
  })

  test('two replicas at once number without a gap', async () => {
    const [a, b] = await Promise.all(['left', 'right'].map((name) => bench.start(name, { kafkaAway })))
    const before = await stored()
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => place((i % 2 ? a : b)?.url ?? '')))
    expect(answers.filter(({ status }) => status !== 201)).toEqual([])
    expect((await stored()).events).toBe(before.events + 200)
    await expectGapless()
  })

  test('nothing is stored of what is refused', async () => {
    const { url } = await bench.start('strict', { kafkaAway })
    const before = await stored()
    const refused = await Promise.all([
      place(url, 'k-refused', { ...newOrder, lines: [{ sku: 'milk', quantity: 1 }] }),
      place(url, 'k-refused', { ...newOrder, currency: 'USD' }),
      place(url, 'k-refused', { ...newOrder, lines: [] }),
      supertest(url).post('/orders').type('application/json').send('{'),
      supertest(url).post('/orders/nobody/cancellation').send({ reason: 'x' }),
    ])
    expect(refused.map(({ status }) => status)).toEqual([422, 422, 400, 400, 404])
    expect(await stored()).toEqual(before)
  })
})

describe('Idempotency-Key', () => {
  test('raced 20 times on two replicas gives one order and one answer', async () => {
    const [a, b] = await Promise.all(['race-1', 'race-2'].map((name) => bench.start(name, { kafkaAway })))
    const before = await stored()
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => place((i % 2 ? a : b)?.url ?? '', 'k-race')))
    expect(new Set(answers.map(({ status, text, headers }) => `${status} ${headers['location']} ${text}`)).size).toBe(1)
    expect(answers[0]?.status).toBe(201)
    expect(await stored()).toEqual({ orders: before.orders + 1, events: before.events + 1, keys: before.keys + 1 })
  })

  test('with another body is refused, and writes nothing', async () => {
    const { url } = await bench.start('conflict', { kafkaAway })
    const [first, second] = await Promise.all([
      place(url, 'k-conflict'),
      place(url, 'k-conflict', { ...newOrder, customerId: 'c-2' }),
    ])
    expect(new Set([first.status, second.status])).toEqual(new Set([201, 409]))
    const after = await stored()
    expect((await place(url, 'k-conflict', { ...newOrder, customerId: 'c-3' })).status).toBe(409)
    expect(await stored()).toEqual(after)
  })

  test('repeats safely what a process killed between commit and answer had accepted', async () => {
    await using proxy = await proxyDatabase(bench.sandbox.config.postgres.url)
    const port = await freePort()
    const env = {
      ...bench.sandbox.env,
      TALLY_DATABASE_URL: proxy.url,
      TALLY_API_PORT: String(port),
      TALLY_KAFKA_BROKERS: '127.0.0.1:1',
    }
    const child = fork(join(import.meta.dirname, 'main.ts'), { env, stdio: 'ignore' })
    await once(child, 'message')
    const before = await stored()

    const committing = proxy.swallowNextCommit()
    const answer = place(`http://127.0.0.1:${port}`, 'k-killed').then(
      () => 'answered',
      () => 'no answer',
    )
    await committing
    await waitUntil('the commit to be there', async () => (await stored()).orders > before.orders)
    child.kill('SIGKILL')
    expect(await answer).toBe('no answer')

    const { url } = await bench.start('survivor', { kafkaAway })
    const repeated = await place(url, 'k-killed')
    expect(repeated.status).toBe(201)
    expect(await stored()).toEqual({ orders: before.orders + 1, events: before.events + 1, keys: before.keys + 1 })
    expect((await supertest(url).get(`/orders/${repeated.body.orderId}`)).status).toBe(200)
  })
})

describe('cancelling', () => {
  test('stores the request in the lane of the order, once per key', async () => {
    const { url } = await bench.start('cancel', { kafkaAway })
    const { orderId } = (await place(url)).body
    const cancel = (reason: string) =>
      supertest(url).post(`/orders/${orderId}/cancellation`).set('idempotency-key', `k-${orderId}`).send({ reason })
    const [first, again] = [await cancel('too late'), await cancel('too late')]
    expect([first.status, again.status, again.text]).toEqual([202, 202, first.text])
    expect((await cancel('other words')).status).toBe(409)

    const events = (await readEvents(bench.pool)).filter(({ key }) => key === orderId)
    const lane = laneOf(orderId, partitions)
    expect(events.map((event) => ({ type: event.headers['ce_type'], lane: event.lane }))).toEqual([
      { type: 'tally.orders.OrderPlaced', lane },
      { type: 'tally.orders.CancellationRequested', lane },
    ])
  })
})

describe('without the database', () => {
  test('requests are refused at once with 503 and Retry-After, and taken again when it is back', async () => {
    await using proxy = await proxyDatabase(bench.sandbox.config.postgres.url)
    const { url, stop } = await bench.start('cut-off', { kafkaAway, databaseUrl: proxy.url })
    expect((await supertest(url).get('/ready')).status).toBe(200)
    proxy.cut()
    const asked = performance.now()
    const answers = await Promise.all([
      place(url, 'k-cut'),
      supertest(url).get('/orders/o-1'),
      supertest(url).get('/products'),
      supertest(url).get('/ready'),
    ])
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503])
    expect(answers[0]?.headers['retry-after']).toBe('1')
    expect(performance.now() - asked).toBeLessThan(3_000)
    expect((await supertest(url).get('/health')).body).toEqual({ alive: true })

    proxy.mend()
    await waitUntil('the replica to be ready again', async () => (await supertest(url).get('/ready')).status === 200)
    expect((await place(url, 'k-cut')).status).toBe(201)
    await stop()
  })
})

/** Each lane's events are numbered 1, 2, 3 … up to what its row says. */
async function expectGapless(): Promise<void> {
  const { rows } = await bench.pool.query(
    `select lane, next_seq, sum(last_seq - first_seq + 1)::int as events, min(first_seq) as first, max(last_seq) as last
     from lane left join outbox_batch using (lane) group by lane order by lane`,
  )
  expect(rows).toHaveLength(partitions)
  for (const { lane, next_seq, events } of rows) {
    expect({ lane, first: 1, last: events, next_seq: events + 1 }).toEqual({
      lane,
      first: rows[lane].first,
      last: rows[lane].last,
      next_seq,
    })
  }
}
