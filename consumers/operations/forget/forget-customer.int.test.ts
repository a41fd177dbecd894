import { afterAll, beforeAll, expect, test } from '@jest/globals'
import supertest from 'supertest'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { isSealed, keyIdOf } from '../../../infra/security/sealed-text.ts'
import { ordersSchema } from '../../../producers/orders-api/migrations.ts'
import { CustomerKeys } from '../../../infra/security/customer-keys/customer-keys.ts'
import { createOrdersBench, newOrder } from '../../../producers/orders-api/testing/orders-bench.ts'
import type { OrdersBench, Replica } from '../../../producers/orders-api/testing/orders-bench.ts'
import { readEvents } from '../../../producers/outbox/testing/stored-events.ts'
import { forgetCustomer, planForgetting } from './forget-customer.ts'
import type { ForgetWork } from './forget-customer.ts'
import { readForgettings } from './forgetting-table.ts'

/** Nothing runs but the orders API: what becomes of an order is what the test says. */
let bench: OrdersBench
let api: Replica
beforeAll(async () => {
  bench = await createOrdersBench()
  api = await bench.start('api', { kafkaAway: true })
})
afterAll(() => bench[Symbol.asyncDispose]())

const why = { actor: 'ada', why: 'ticket 4711' }
const work = (signal = new AbortController().signal): ForgetWork => ({
  ...{ config: bench.sandbox.config, pool: bench.sandbox.pool, groups: [], codec: {} as never, signal },
})
const schema = () => `"${ordersSchema(bench.sandbox.namespace)}"`
const place = (customerId: string, key?: string) =>
  supertest(api.url)
    .post('/orders')
    .set(key ? { 'idempotency-key': key } : {})
    .send({ ...newOrder, customerId })
const end = (orderId: string, customerId: string) =>
  bench.projection.query(
    `insert into order_status (order_id, status, seen, customer_id, updated_at, ended_at, entries)
     values ($1, 'completed', '{}', $2, now(), now(), 0)`,
    [orderId, customerId],
  )
const addresses = async (customerId: string) =>
  (
    await bench.pool.query<{ order_id: string; ship_to: typeof newOrder.shipTo }>(
      'select order_id, ship_to from placed_order where customer_id = $1',
      [customerId],
    )
  ).rows.map(({ ship_to }) => ship_to)
const readable = (texts: readonly string[]) =>
  new CustomerKeys(ordersSchema(bench.sandbox.namespace)).open(bench.pool, texts).then((opened) => opened?.texts)

test('a customer with an open order is not forgotten, and nothing changes; once it has ended, nobody can read the address', async () => {
  const { body } = await place('c-open')
  await expect(forgetCustomer(work(), { customerId: 'c-open', ...why })).rejects.toMatchObject({
    code: 'PRECONDITION_FAILED',
    message: expect.stringContaining(`order ${body.orderId}, which has not ended`),
  })
  const [before] = await addresses('c-open')
  expect(await readable([before?.recipient ?? ''])).toEqual(['Jane Roe'])
  expect(await readForgettings(bench.pool, schema(), 'c-open')).toEqual([])

  await end(body.orderId, 'c-open')
  expect(await planForgetting(work(), 'c-open')).toMatchObject({ orders: 1, keys: 1, open: [], unreadable: 0 })
  expect(await forgetCustomer(work(), { customerId: 'c-open', ...why })).toMatchObject({
    complete: true,
    resumed: false,
  })
  expect(await addresses('c-open')).toEqual([before])
  expect(await readable([before?.recipient ?? ''])).toBeUndefined()
  const [event] = (await readEvents(bench.pool)).filter(({ key }) => key === body.orderId)
  expect(event?.value.toString('latin1')).not.toMatch(/Jane|High Street|Leeds/)
  const [audit, ...more] = await readForgettings(bench.pool, schema(), 'c-open')
  expect(audit).toMatchObject({ customerId: 'c-open', actor: 'ada', why: 'ticket 4711', endedAt: expect.any(Date) })
  expect(more).toEqual([])
})

test('a second time there is nothing to forget, and none is recorded; a customer who returns gets another key', async () => {
  const first = await place('c-twice')
  await end(first.body.orderId, 'c-twice')
  const { id } = await forgetCustomer(work(), { customerId: 'c-twice', ...why })
  expect(id).toBeGreaterThan(0)
  expect(await forgetCustomer(work(), { customerId: 'c-twice', ...why })).toMatchObject({
    id: undefined,
    complete: true,
  })
  expect(await readForgettings(bench.pool, schema(), 'c-twice')).toHaveLength(1)
  // This process may still keep the erased key: it is refused at most once
  await waitUntil('an order is accepted', async () => (await place('c-twice')).status === 201)
  const texts = (await addresses('c-twice')).map(({ street }) => street)
  expect(new Set(texts.map(keyIdOf)).size).toBe(2)
  expect(await readable(texts.slice(-1))).toEqual(['High Street 1'])
})

test('a run that was killed after the keys were erased is resumed, with the audit of the one who began it', async () => {
  const { body } = await place('c-killed', 'k-killed')
  await bench.pool.query(`update placed_order set ship_to = $2 where order_id = $1`, [body.orderId, newOrder.shipTo])
  await end(body.orderId, 'c-killed')
  const killed = AbortSignal.abort()
  await expect(forgetCustomer(work(killed), { customerId: 'c-killed', ...why })).rejects.toThrow('aborted')
  expect(await readForgettings(bench.pool, schema(), 'c-killed')).toMatchObject([{ actor: 'ada', endedAt: null }])
  expect(await addresses('c-killed')).toEqual([newOrder.shipTo])

  const resumed = await forgetCustomer(work(), { customerId: 'c-killed', actor: 'bob', why: 'again' })
  expect(resumed).toMatchObject({ resumed: true, complete: true, figures: { keys: 0, clear: { orders: 1 } } })
  expect(resumed.figures.clearInKafkaUntil?.getTime()).toBeGreaterThan(Date.now() + 6 * 86_400_000)
  expect(await readForgettings(bench.pool, schema(), 'c-killed')).toMatchObject([
    { id: resumed.id, actor: 'ada', endedAt: expect.any(Date) },
  ])
  expect(await addresses('c-killed')).toEqual([
    { recipient: '', street: '', city: '', postalCode: '', country: newOrder.shipTo.country },
  ])
  // The digest of the request is gone, too: a repeat is refused instead of placing a second order
  expect((await place('c-killed', 'k-killed')).status).toBe(409)
})

test('an order that is placed while its customer is forgotten keeps its address, whoever comes first', async () => {
  for (let round = 0; round < 20; round++) {
    const customerId = `c-race-${round}`
    await new CustomerKeys(ordersSchema(bench.sandbox.namespace)).find(bench.pool, [customerId])
    const [placed, forgotten] = await Promise.allSettled([
      place(customerId),
      forgetCustomer(work(), { customerId, ...why }),
    ])
    const texts = (await addresses(customerId)).map(({ city }) => city)
    if (placed.status === 'fulfilled' && placed.value.status === 201) expect(texts).toHaveLength(1)
    expect(forgotten.status === 'fulfilled' || texts.length === 1).toBe(true)
    expect(texts.every(isSealed)).toBe(true)
    if (texts.length > 0) expect(await readable(texts)).toEqual(['Leeds'])
  }
})
