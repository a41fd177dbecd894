import { describe, expect, test } from '@jest/globals'
import { TallyError } from '../../infra/errors.ts'
import { silentLogger } from '../../infra/logger.ts'
import type { OrderRequest, PlaceOrder } from '../orders-api/orders/placing/place-order.ts'
import { problem } from '../orders-api/http/reply.ts'
import { createIntake, maxDeliveries, maxUnended } from './intake.ts'
import type { Attempts } from './attempts.ts'
import type { QueueMessage } from './message.ts'

const orderOf = (customerId: string) => ({
  ...{ customerId, currency: 'EUR', lines: [{ sku: 'tea', quantity: 2 }] },
  shipTo: { recipient: 'Jane Roe', street: 'High Street 1', city: 'Leeds', postalCode: '', country: 'UK' },
})
const message = (id: string, { customer = 'c-1', ...more }: Partial<QueueMessage> & { customer?: string } = {}) => ({
  ...{ id, body: Buffer.from(JSON.stringify(orderOf(customer))), deliveries: 1 },
  ...more,
})
const placed = (orderId: string) => ({ status: 201, body: { orderId } })
const noAvro = { read: async () => orderOf('avro') }
const unreachable = () => new TallyError('UNREACHABLE', 'the database does not answer')

/** Attempts in memory, which outlives the intakes of a test as the table does. */
function attemptsInMemory(): Attempts & { readonly begun: Map<string, number> } {
  const begun = new Map<string, number>()
  return {
    begun,
    async begin(key) {
      const before = begun.get(key) ?? 0
      begun.set(key, before + 1)
      return before
    },
    end: async (key) => void begun.delete(key),
  }
}

/** An intake whose orders are placed by the test. */
function setUp(
  place: PlaceOrder,
  avro: { read(body: Buffer): Promise<unknown> } = noAvro,
  attempts: Attempts = attemptsInMemory(),
) {
  const ending = new AbortController()
  const options = { source: 'rabbitmq:orders', place, avro, attempts, log: silentLogger, retryMs: 1 }
  return { intake: createIntake({ ...options, signal: ending.signal }), end: () => ending.abort() }
}

test('a message becomes an order under its id, in its trace', async () => {
  const requests: OrderRequest[] = []
  const { intake } = setUp(async (request) => (requests.push(request), placed('o-1')))
  expect(await intake.process(message('m-1', { traceparent: 'trace' }))).toEqual({ kind: 'placed', orderId: 'o-1' })
  expect(requests).toMatchObject([
    { order: orderOf('c-1'), idempotency: { key: 'rabbitmq:orders m-1 ' }, traceparent: 'trace' },
  ])
})

describe('a message is refused', () => {
  test.each([
    [422, 'an article is not sold'],
    [500, 'the database refuses its values'],
  ])('with the answer %i: %s', async (status) => {
    const answer = problem(status, 'Why.')
    const { intake } = setUp(async () => answer)
    expect(await intake.process(message('m-1'))).toEqual({ kind: 'refused', problem: answer })
  })

  test('with 409 if its id was used for another order', async () => {
    const { intake } = setUp(async () => problem(409, 'This Idempotency-Key was used.'))
    const outcome = await intake.process(message('m-1'))
    expect(outcome).toMatchObject({ problem: { body: { status: 409, detail: expect.stringContaining('message id') } } })
  })

  test('if bridges ended again and again while they worked on it alone', async () => {
    const attempts = attemptsInMemory()
    const deliver = (place: PlaceOrder, id: string) =>
      setUp(place, noAvro, attempts).intake.process(message(id, { deliveries: 1_000 }))
    const ended: PlaceOrder = () => new Promise(() => {})
    for (let times = 0; times < maxUnended; times++) {
      void deliver(ended, 'm-1') // Killed: nothing comes after the attempt
      await new Promise(setImmediate)
    }
    expect(await deliver(async () => placed('o-1'), 'm-1')).toMatchObject({
      kind: 'refused',
      problem: { status: 500, body: { detail: expect.stringContaining('ended 5 times') } },
    })
    expect(await deliver(async () => placed('o-2'), 'm-2')).toMatchObject({ kind: 'placed' })
  })

  test('if it fails for no known reason, after a few attempts', async () => {
    let attempts = 0
    const { intake } = setUp(async () => {
      attempts++
      throw new TypeError('x is not a function')
    })
    expect(await intake.process(message('m-1'))).toMatchObject({ kind: 'refused', problem: { status: 500 } })
    expect(attempts).toBe(5)
  })
})

test('messages that were delivered often are worked on one by one, in order, and none counts against them', async () => {
  const attempts = attemptsInMemory()
  const log: string[] = []
  const place: PlaceOrder = async ({ idempotency }) => {
    const id = idempotency?.key.split(' ')[1] ?? ''
    log.push(`${id} begins`)
    await new Promise(setImmediate)
    log.push(`${id} ends`)
    return placed(id)
  }
  const { intake } = setUp(place, noAvro, attempts)
  const often = maxDeliveries + 1
  await Promise.all([
    intake.process(message('new', { customer: 'a' })),
    intake.process(message('again-1', { customer: 'b', deliveries: often })),
    intake.process(message('again-2', { customer: 'c', deliveries: often })),
    intake.process(message('last', { customer: 'd', deliveries: maxDeliveries })),
  ])
  const order = ['new', 'again-1', 'again-2', 'last']
  expect(log).toEqual(order.flatMap((id) => [`${id} begins`, `${id} ends`]))
  expect(attempts.begun.size).toBe(0)
})

test('while the database is away a message waits as long as it takes, and is not refused', async () => {
  let attempts = 0
  const { intake } = setUp(async () => {
    if (++attempts < 30) throw unreachable()
    return placed('o-1')
  })
  expect(await intake.process(message('m-1'))).toMatchObject({ kind: 'placed' })
})

test('a bridge that ends leaves the messages that wait to the queue', async () => {
  const { intake, end } = setUp(async () => {
    end()
    throw unreachable()
  })
  await expect(intake.process(message('m-1'))).rejects.toMatchObject({ name: 'AbortError' })
  await expect(intake.process(message('m-2'))).rejects.toMatchObject({ name: 'AbortError' })
})

test('orders of one customer are placed in order, although the first waits; those of others do not wait for it', async () => {
  const order: (string | undefined)[] = []
  let failures = 3
  const { intake } = setUp(async ({ idempotency }) => {
    if (idempotency?.key.includes(' a1 ') && failures-- > 0) throw unreachable()
    order.push(idempotency?.key.split(' ')[1])
    return placed('o')
  })
  await Promise.all([
    intake.process(message('a1', { customer: 'a' })),
    intake.process(message('a2', { customer: 'a' })),
    intake.process(message('b1', { customer: 'b' })),
    intake.process(message('a3', { customer: 'a' })),
  ])
  expect(order.filter((id) => id?.startsWith('a'))).toEqual(['a1', 'a2', 'a3'])
  expect(order[0]).toBe('b1')
})

test('an order in Avro whose schema comes late is not overtaken', async () => {
  const order: (string | undefined)[] = []
  let failures = 3
  const avro = {
    read: async () => {
      if (failures-- > 0) throw unreachable()
      return orderOf('c-1')
    },
  }
  const { intake } = setUp(async ({ idempotency }) => (order.push(idempotency?.key.split(' ')[1]), placed('o')), avro)
  await Promise.all([
    intake.process(message('first', { body: Buffer.from([0, 0, 0, 0, 7]) })),
    intake.process(message('second')),
  ])
  expect(order).toEqual(['first', 'second'])
})

test('messages of a group are placed in order, whosever orders they are', async () => {
  const order: (string | undefined)[] = []
  let failures = 3
  const { intake } = setUp(async ({ idempotency }) => {
    if (idempotency?.key.includes(' g1 ') && failures-- > 0) throw unreachable()
    order.push(idempotency?.key.split(' ')[1])
    return placed('o')
  })
  await Promise.all([
    intake.process(message('g1', { customer: 'a', group: 'g' })),
    intake.process(message('g2', { customer: 'b', group: 'g' })),
    intake.process(message('h1', { customer: 'a', group: 'h' })),
  ])
  expect(order).toEqual(['h1', 'g1', 'g2'])
})
