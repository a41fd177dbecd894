import { CreateQueueCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { SqsBatchSender } from '../../infra/sqs/batch-sender.ts'
import { createSqs } from '../../infra/sqs/client.ts'
import type { SqsAccess } from '../../infra/sqs/client.ts'
import { isFifo, queueUrl } from '../../infra/sqs/queue-url.ts'
import { drainSqs } from '../../infra/testing/queues/drain.ts'
import { canTest, startQueue } from '../../infra/testing/queues/start-queues.ts'
import type { TestQueue } from '../../infra/testing/queues/start-queues.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { newEventId } from '../../schemas/event-id.ts'
import { defineForwarder } from '../forwarding/define-forwarder.ts'
import { compare, noDifference } from '../forwarding/testing/compare.ts'
import { ordersToForward } from '../forwarding/testing/orders.ts'
import { limits } from '../../schemas/validate.ts'
import { orderPlaced } from '../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../runtime/testing/test-bench.ts'
import type { TestBench } from '../runtime/testing/test-bench.ts'
import { sqsQueue } from './sqs-queue.ts'

const onSqs = canTest('sqs') ? describe : describe.skip

onSqs('events forwarded to SQS', () => {
  let server: TestQueue
  let sqs: ReturnType<typeof createSqs>
  beforeAll(async () => {
    server = await startQueue('sqs', 23_600, { durable: true })
    sqs = createSqs(server.config.sqs as SqsAccess)
  })
  afterAll(async () => {
    sqs.destroy()
    await server[Symbol.asyncDispose]()
  })

  const create = (name: string) =>
    sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: isFifo(name) ? { FifoQueue: 'true' } : {} }))
  const forward = (bench: TestBench, queue: string, events?: string) =>
    bench.replica(
      defineForwarder(
        'forward-sqs',
        { events, setting: '' },
        sqsQueue(new SqsBatchSender(sqs, queue), { fifo: isFifo(queue) }),
      ),
    )
  const drain = async (queue: string) => drainSqs(sqs, await queueUrl(sqs, queue))

  test('a FIFO queue has each event once, those of an order in order, with their attributes', async () => {
    await using bench = await openTestBench('forward-sqs', '')
    await create('events.fifo')
    await forward(bench, 'events.fifo')
    const events = ordersToForward(20)
    await bench.publish(events)
    await bench.settled(['orders'])
    const drained = await drain('events.fifo')
    expect(compare(events, drained)).toEqual(noDifference)
    expect(drained).toHaveLength(events.length)
    const [placed] = events
    const first = drained.find(({ id }) => id === placed?.id)
    expect(JSON.parse(first?.body ?? '')).toEqual({ paymentMethod: null, ...placed?.data })
    expect(first?.attributes).toMatchObject({
      ce_specversion: '1.0',
      ce_type: 'tally.orders.OrderPlaced',
      ce_source: '/test',
      'content-type': 'application/json',
    })
  })

  test('a queue that is created later, frozen and killed loses nothing', async () => {
    await using bench = await openTestBench('forward-sqs', '')
    await forward(bench, 'later')
    const [before, frozen, killed] = [ordersToForward(5), ordersToForward(5), ordersToForward(5)]
    await bench.publish(before)
    await waitUntil('the missing queue is named', async () => {
      const { rows } = await bench.pool.query('select 1 from call where last_error like $1', ['%no such queue%'])
      return rows.length > 0
    })
    await create('later')
    await bench.settled(['orders'])
    const thaw = server.freeze()
    await bench.publish(frozen)
    await waitUntil('the lanes have processed all events', async () => {
      const { rows } = await bench.pool.query<{ waiting: number }>('select count(*)::int as waiting from forwarding')
      return rows[0]?.waiting === frozen.length
    })
    thaw()
    await bench.settled(['orders'])
    await bench.publish(killed)
    server.kill()
    await server.restarted()
    await bench.settled(['orders'])
    const { missing, foreign } = compare([...before, ...frozen, ...killed], await drain('later'))
    expect({ missing, foreign }).toEqual({ missing: [], foreign: [] })
  })

  test('the largest events that the rules allow pass, in requests of at most 1 MiB', async () => {
    await using bench = await openTestBench('forward-sqs', '')
    await create('large')
    await forward(bench, 'large', 'OrderPlaced')
    const events = ['o-1', 'o-2', 'o-3'].map((orderId) => ({ ...largestOrder(orderId), id: newEventId() }))
    await bench.publish(events)
    await bench.settled(['orders'])
    const drained = await drain('large')
    expect(compare(events, drained)).toEqual(noDifference)
    expect(drained.map(({ body }) => body.length > 750_000)).toEqual([true, true, true])
    expect(JSON.parse(drained.find(({ id }) => id === events[0]?.id)?.body ?? '')).toEqual({
      paymentMethod: null,
      ...events[0]?.data,
    })
  })
})

/** JSON writes each of these characters with six bytes. */
function largestOrder(orderId: string) {
  const order = orderPlaced(orderId)
  const [line] = order.data.lines
  const sku = '\u0001'.repeat(limits.idLength - 4)
  const lines = Array.from({ length: limits.lines }, (_, index) => ({ ...line, sku: `${sku}${1_000 + index}` }))
  return { ...order, data: { ...order.data, lines, totalMinor: lines.length * 100 } as typeof order.data }
}
