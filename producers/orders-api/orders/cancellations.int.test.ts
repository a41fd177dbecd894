import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import supertest from 'supertest'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { readEvents } from '../../outbox/testing/stored-events.ts'
import { createOrdersBench, newOrder } from '../testing/orders-bench.ts'
import type { OrdersBench } from '../testing/orders-bench.ts'

const kafkaAway = true

let bench: OrdersBench
beforeAll(async () => void (bench = await createOrdersBench()))
afterAll(() => bench[Symbol.asyncDispose]())

const place = (url: string) => supertest(url).post('/orders').send(newOrder)

describe('one cancellation of an order is open at a time', () => {
  const eventsOf = async (orderId: string) => (await readEvents(bench.pool)).filter(({ key }) => key === orderId).length
  /** Repeated under its key while a busy database has it refused. */
  const cancel = (url: string, orderId: string, key: string) =>
    waitUntil('an answer', async () => {
      const request = supertest(url).post(`/orders/${orderId}/cancellation`).set('idempotency-key', key)
      const answer = await request.send({ reason: 'moved' })
      return answer.status === 503 ? undefined : answer
    })
  const refuse = (orderId: string, seq: number) =>
    bench.projection.query(
      `insert into timeline (order_id, seq, event_id, type, time, summary) values ($1, $2::int, 'refused', 'CancellationRefused', now(), '')`,
      [orderId, seq],
    )

  test('of 20 requests at once on two replicas one is stored, and the others are told', async () => {
    const [a, b] = await Promise.all(['cancel-1', 'cancel-2'].map((name) => bench.start(name, { kafkaAway })))
    const { orderId } = (await place(a?.url ?? '')).body
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => cancel((i % 2 ? a : b)?.url ?? '', orderId, `k-open-${i}-${orderId}`)),
    )
    const [late, ...more] = answers.filter(({ status }) => status !== 202)
    expect([late, ...more].map((answer) => answer?.status)).toEqual(Array(19).fill(409))
    expect(late?.headers['content-type']).toContain('application/problem+json')
    expect(late?.body).toMatchObject({ status: 409, detail: expect.stringContaining('is open already') })
    expect(await eventsOf(orderId)).toBe(2)
  })

  test('after it was refused, another may be requested, under the key of one that came too early, too', async () => {
    const { url } = await bench.start('cancel-again', { kafkaAway })
    const { orderId } = (await place(url)).body
    const statuses = async (key: string) => (await cancel(url, orderId, `${key}-${orderId}`)).status
    expect([await statuses('first'), await statuses('early'), await statuses('first')]).toEqual([202, 409, 202])
    await refuse(orderId, 1)
    expect([await statuses('early'), await statuses('late'), await statuses('first')]).toEqual([202, 409, 202])
    expect(await eventsOf(orderId)).toBe(3)
  })
})
