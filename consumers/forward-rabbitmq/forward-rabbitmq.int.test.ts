import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { connectRabbitmq } from '../../infra/rabbitmq/connect.ts'
import { RabbitmqPublisher } from '../../infra/rabbitmq/publisher.ts'
import { drainRabbitmq } from '../../infra/testing/queues/drain.ts'
import { canTest, startQueue } from '../../infra/testing/queues/start-queues.ts'
import type { TestQueue } from '../../infra/testing/queues/start-queues.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { defineForwarder } from '../forwarding/define-forwarder.ts'
import { compare, noDifference } from '../forwarding/testing/compare.ts'
import { ordersToForward } from '../forwarding/testing/orders.ts'
import { openTestBench } from '../runtime/testing/test-bench.ts'
import type { TestBench } from '../runtime/testing/test-bench.ts'
import { rabbitmqQueue } from './rabbitmq-queue.ts'
import type { Target } from './rabbitmq-queue.ts'

const onRabbitmq = canTest('rabbitmq') ? describe : describe.skip

onRabbitmq('events forwarded to RabbitMQ', () => {
  let server: TestQueue
  let url: string
  beforeAll(async () => {
    server = await startQueue('rabbitmq', 23_500)
    url = server.config.rabbitmq.url as string
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  const channel = async () => {
    const connection = await connectRabbitmq({ url, name: 'test' })
    return { channel: await connection.createChannel(), [Symbol.asyncDispose]: () => connection.close() }
  }
  const publisherTo = (address: string) => new RabbitmqPublisher({ url: address, name: 'forward' })
  const forward = (bench: TestBench, publisher: RabbitmqPublisher, target: Target) =>
    bench.replica(
      defineForwarder('forward-rabbitmq', { events: undefined, setting: '' }, rabbitmqQueue(publisher, target)),
    )
  const lastErrors = async ({ pool }: TestBench) =>
    (await pool.query<{ error: string }>('select distinct last_error as error from call where last_error is not null'))
      .rows

  test('each event comes out with its attributes, those of an order in order, on the queue that its id routes to', async () => {
    await using publisher = publisherTo(url)
    await using bench = await openTestBench('forward-rabbitmq', '')
    await using opened = await channel()
    await opened.channel.assertExchange('events', 'topic')
    await opened.channel.assertQueue('all', { durable: true })
    await opened.channel.bindQueue('all', 'events', '#')
    await forward(bench, publisher, { exchange: 'events' })
    const events = ordersToForward(20)
    await bench.publish(events)
    await bench.settled(['orders'])
    const drained = await drainRabbitmq(url, 'all')
    expect(compare(events, drained)).toEqual(noDifference)
    expect(drained).toHaveLength(events.length)
    const [placed] = events
    const first = drained.find(({ id }) => id === placed?.id)
    expect(JSON.parse(first?.body ?? '')).toEqual({ paymentMethod: null, ...placed?.data })
    expect(first?.attributes).toMatchObject({
      messageId: placed?.id,
      contentType: 'application/json',
      cloudEvents_specversion: '1.0',
      cloudEvents_type: 'tally.orders.OrderPlaced',
      cloudEvents_source: '/test',
      cloudEvents_subject: first?.subject,
    })
    const { rows } = await bench.pool.query('select count(*)::int as waiting from forwarding')
    expect(rows).toEqual([{ waiting: 0 }])
  })

  test('a missing exchange, a missing queue and a missing binding hold up no lane; once they exist, all goes out in order', async () => {
    await using publisher = publisherTo(url)
    await using bench = await openTestBench('forward-rabbitmq', '')
    await forward(bench, publisher, { exchange: 'later' })
    const events = ordersToForward(5)
    await bench.publish(events)
    await waitUntil('the lanes have processed all events', async () => {
      const { rows } = await bench.pool.query<{ waiting: number }>('select count(*)::int as waiting from forwarding')
      return rows[0]?.waiting === events.length
    })
    await waitUntil('the missing exchange is named', async () =>
      (await lastErrors(bench)).some(({ error }) => error.includes("no exchange 'later'")),
    )
    await using opened = await channel()
    await opened.channel.assertExchange('later', 'direct')
    await waitUntil('the missing binding is named', async () =>
      (await lastErrors(bench)).some(({ error }) => error.includes('no queue bound to the exchange "later"')),
    )
    await opened.channel.assertQueue('later', { durable: true })
    for (const key of new Set(events.map(({ data }) => ('orderId' in data ? data.orderId : ''))))
      await opened.channel.bindQueue('later', 'later', key)
    await bench.settled(['orders'])
    expect(compare(events, await drainRabbitmq(url, 'later'))).toEqual(noDifference)
  })

  test('a server that is frozen, then killed, loses nothing', async () => {
    await using publisher = publisherTo(url)
    await using bench = await openTestBench('forward-rabbitmq', '')
    {
      await using opened = await channel()
      await opened.channel.assertQueue('chaos', { durable: true })
    }
    await forward(bench, publisher, { queue: 'chaos' })
    const [before, frozen, killed] = [ordersToForward(10), ordersToForward(10), ordersToForward(10)]
    await bench.publish(before)
    await bench.settled(['orders'])
    const thaw = server.freeze()
    await bench.publish(frozen)
    await waitUntil('the lanes have processed all events', async () => {
      const { rows } = await bench.pool.query<{ waiting: number }>('select count(*)::int as waiting from forwarding')
      return rows[0]?.waiting === frozen.length
    })
    thaw()
    await bench.publish(killed)
    server.kill()
    await server.restarted()
    await bench.settled(['orders'])
    const difference = compare([...before, ...frozen, ...killed], await drainRabbitmq(url, 'chaos'))
    expect({ missing: difference.missing, foreign: difference.foreign }).toEqual({ missing: [], foreign: [] })
  })

  test('a refused login stops the calls, names the setting and keeps the events', async () => {
    const wrong = new URL(url)
    wrong.password = 'incorrect-horse'
    await using publisher = publisherTo(wrong.href)
    await using bench = await openTestBench('forward-rabbitmq', '')
    await forward(bench, publisher, { queue: 'all' })
    const events = ordersToForward(2)
    await bench.publish(events)
    await waitUntil('the refusal is recorded', async () =>
      (await lastErrors(bench)).some(({ error }) => error.includes('TALLY_RABBITMQ_URL')),
    )
    expect(JSON.stringify(await lastErrors(bench))).not.toContain('incorrect-horse')
    await waitUntil('all events are kept', async () => {
      const { rows } = await bench.pool.query<{ kept: number }>('select count(*)::int as kept from forwarding')
      return rows[0]?.kept === events.length
    })
  })
})
