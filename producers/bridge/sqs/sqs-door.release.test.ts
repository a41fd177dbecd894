import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { CreateQueueCommand } from '@aws-sdk/client-sqs'
import { createSqs } from '../../../infra/sqs/client.ts'
import type { SqsAccess } from '../../../infra/sqs/client.ts'
import { canTest, startQueue } from '../../../infra/testing/queues/start-queues.ts'
import type { TestQueue } from '../../../infra/testing/queues/start-queues.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { ensureQueues } from '../start-bridge.ts'
import { createBridgeBench, messageFor, orderFor } from '../testing/bridge-bench.ts'
import type { BridgeBench, Sender } from '../testing/bridge-bench.ts'
import { doorCases, expectOrderPerCustomer, memoryOfLargeMessages } from '../testing/door-cases.ts'
import { sqsSender } from '../testing/sqs-sender.ts'

const onSqs = canTest('sqs') ? describe : describe.skip

onSqs('the door at Amazon SQS', () => {
  let server: TestQueue
  let sender: Sender
  let bench: BridgeBench
  beforeAll(async () => {
    server = await startQueue('sqs', 22_400)
    sender = sqsSender(server.config.sqs as SqsAccess)
    bench = await createBridgeBench('sqs', server, sender)
  })
  afterAll(async () => {
    await bench?.[Symbol.asyncDispose]()
    await sender?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  doorCases(() => bench)

  test('the groups of a FIFO queue keep the orders of a customer in order, also when another bridge takes over', async () => {
    const request = await bench.create('turn.fifo')
    const first = await bench.start(request)
    await bench.start(request)
    await expectOrderPerCustomer(bench, 'turn.fifo', () => first.stop())
  })

  test('a message without a name of its own has that of SQS', async () => {
    const request = await bench.create('nameless')
    await using _bridge = await bench.start(request)
    await sender.send('nameless', [
      messageFor('nameless-1', { id: undefined }),
      messageFor('nameless-1', { id: undefined }),
    ])
    await waitUntil('two orders', async () => (await bench.orders()).get('nameless-1') === 2)
  })

  test('a message of 1 MiB leaves no room for its problem, and is a dead letter without', async () => {
    const request = await bench.create('largest')
    await using _bridge = await bench.start(request)
    const body = JSON.stringify(orderFor('largest-1'))
    await sender.send('largest', [{ body: body + ' '.repeat(1_048_576 - body.length) }, messageFor('largest-2')])
    await waitUntil('the other order', async () => (await bench.orders()).has('largest-2'))
    await waitUntil('nothing waits', async () => (await sender.waiting('largest')) === 0)
    const letters = await sender.deadLetters('largest')
    expect(letters.map(({ body: kept, problem }) => [kept.length, problem])).toEqual([[1_048_576, { status: 0 }]])
    expect((await bench.orders()).has('largest-1')).toBe(false)
  })

  test('a queue full of large messages does not fill the memory of a bridge', async () => {
    expect(await memoryOfLargeMessages(bench, 'heavy', 200, 1_000_000)).toBeLessThan(500)
  }, 900_000)

  test('a missing queue, and one without a dead-letter queue, are one sentence each', async () => {
    const config = { ...bench.bench.sandbox.config, ...server.config }
    const request = (queue: string) => ({ door: 'sqs', queue, prefetch: 10 }) as const
    await expect(ensureQueues(config, request('missing'))).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      message:
        'Amazon SQS has no queue missing: create it, or have `npm run bridge -- sqs --queue missing --create` do so',
    })
    const sqs = createSqs(server.config.sqs as SqsAccess)
    await sqs.send(new CreateQueueCommand({ QueueName: 'alone' }))
    sqs.destroy()
    await expect(ensureQueues(config, request('alone'))).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      message: 'The queue alone has no dead-letter queue: set its RedrivePolicy',
    })
  })
})
