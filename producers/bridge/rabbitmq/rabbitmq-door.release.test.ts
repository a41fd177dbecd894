import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { connectRabbitmq } from '../../../infra/rabbitmq/connect.ts'
import { canTest, startQueue } from '../../../infra/testing/queues/start-queues.ts'
import type { TestQueue } from '../../../infra/testing/queues/start-queues.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { ensureQueues } from '../start-bridge.ts'
import { createBridgeBench, messageFor, orderFor } from '../testing/bridge-bench.ts'
import type { BridgeBench, Sender } from '../testing/bridge-bench.ts'
import { doorCases, expectOrderPerCustomer, memoryOfLargeMessages } from '../testing/door-cases.ts'
import { rabbitmqSender } from '../testing/rabbitmq-sender.ts'

const onRabbitmq = canTest('rabbitmq') ? describe : describe.skip

onRabbitmq('the door at RabbitMQ', () => {
  let server: TestQueue
  let sender: Sender
  let bench: BridgeBench
  let url: string
  beforeAll(async () => {
    server = await startQueue('rabbitmq', 22_300)
    url = server.config.rabbitmq.url as string
    sender = await rabbitmqSender(url)
    bench = await createBridgeBench('rabbitmq', server, sender)
  })
  afterAll(async () => {
    await bench?.[Symbol.asyncDispose]()
    await sender?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  doorCases(() => bench)

  test('a single active consumer keeps the orders of a customer in order, also when another bridge takes over', async () => {
    const connection = await connectRabbitmq({ url, name: 'an operator' })
    const channel = await connection.createChannel()
    await channel.assertQueue('turn.dead-letter', { durable: true })
    const args = { 'x-queue-type': 'quorum', 'x-single-active-consumer': true }
    await channel.assertQueue('turn', { durable: true, arguments: args })
    await connection.close()
    const request = { door: 'rabbitmq', queue: 'turn', prefetch: 20 } as const
    const first = await bench.start(request)
    await bench.start(request)
    await expectOrderPerCustomer(bench, 'turn', () => first.stop())
  })

  test('a message without an id, or with properties that RabbitMQ would refuse to repeat, is a dead letter', async () => {
    const request = await bench.create('odd')
    await using _bridge = await bench.start(request)
    const connection = await connectRabbitmq({ url, name: 'a shop' })
    const channel = await connection.createConfirmChannel()
    const body = Buffer.from(JSON.stringify(orderFor('odd-1')))
    const headers = { CC: ['elsewhere'], note: 'x'.repeat(40_000) }
    channel.sendToQueue('odd', body, { userId: 'tally', expiration: 60_000, headers })
    await channel.waitForConfirms()
    await connection.close()
    const letters = await waitUntil('the dead letter', async () => {
      const found = await sender.deadLetters('odd')
      return found.length > 0 && found
    })
    expect(letters).toMatchObject([
      { id: undefined, problem: { status: 400, errors: [{ path: 'header/message-id' }] } },
    ])
    expect((await bench.orders()).get('odd-1')).toBeUndefined()
  })

  test('a dead letter that has nowhere to go stays in the queue until it has', async () => {
    const request = await bench.create('nowhere')
    const connection = await connectRabbitmq({ url, name: 'an operator' })
    const channel = await connection.createChannel()
    await channel.deleteQueue('nowhere.dead-letter')
    const bridge = await bench.start(request)
    await sender.send('nowhere', [{ id: 'text', body: 'tea' }, messageFor('nowhere-1')])
    await waitUntil('the order', async () => (await bench.orders()).has('nowhere-1'))
    await bridge.stop()
    await waitUntil('the message is back', async () => (await sender.waiting('nowhere')) === 1)
    await channel.assertQueue('nowhere.dead-letter', { durable: true })
    await bench.start(request)
    await waitUntil('the dead letter', async () => (await sender.deadLetters('nowhere')).length === 1)
    await connection.close()
  })

  test('a queue full of large messages does not fill the memory of a bridge', async () => {
    expect(await memoryOfLargeMessages(bench, 'large', 60, 8 * 2 ** 20)).toBeLessThan(400)
  }, 900_000)

  test('a missing queue and a wrong password are one sentence each', async () => {
    const config = { ...bench.bench.sandbox.config, ...server.config }
    const request = { door: 'rabbitmq', queue: 'missing', prefetch: 10 } as const
    await expect(ensureQueues(config, request)).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      message:
        'RabbitMQ has no queue missing and no queue missing.dead-letter: declare it, or have `npm run bridge -- rabbitmq --queue missing --create` do so',
    })
    const wrong = new URL(url)
    wrong.password = 'incorrect-horse'
    const denied = { ...config, rabbitmq: { ...config.rabbitmq, url: wrong.href } }
    await expect(ensureQueues(denied, request)).rejects.toMatchObject({
      code: 'DENIED',
      message: expect.not.stringContaining('incorrect-horse'),
    })
  })

  test('a server that is killed loses nothing, and the bridge continues when it is back', async () => {
    const request = await bench.create('killed')
    await server.stored('killed')
    await bench.start(request)
    const all = Array.from({ length: 200 }, (_, index) => `killed-${index}`)
    await sender.send(
      'killed',
      all.map((name) => messageFor(name)),
    )
    await waitUntil('the first orders', async () => (await bench.orders()).has('killed-0'))
    server.kill()
    await waitUntil(
      'all orders',
      async () => {
        const orders = await bench.orders()
        return all.every((name) => orders.get(name) === 1)
      },
      { withinMs: 200_000 },
    )
  })
})
