import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Config } from '../../infra/config.ts'
import { queueServers } from '../../infra/queue-settings.ts'
import { connectRabbitmq } from '../../infra/rabbitmq/connect.ts'
import { createSqs } from '../../infra/sqs/client.ts'
import { queueUrl } from '../../infra/sqs/queue-url.ts'
import { drainRabbitmq, drainSqs } from '../../infra/testing/queues/drain.ts'
import { canTest, startQueue } from '../../infra/testing/queues/start-queues.ts'
import type { TestQueue } from '../../infra/testing/queues/start-queues.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { ensureQueues } from '../../producers/bridge/start-bridge.ts'
import { createTestStack, succeeded } from '../testing/test-stack.ts'
import type { TestStack } from '../testing/test-stack.ts'
import type { Finding } from './finding.ts'

/** A queue named `events`, as another program has it. */
const clients = {
  rabbitmq({ rabbitmq }: Config) {
    const url = rabbitmq.url as string
    return {
      drain: () => drainRabbitmq(url, 'events'),
      async send(attributes: Record<string, string>) {
        const connection = await connectRabbitmq({ url, name: 'test' })
        const channel = await connection.createConfirmChannel()
        const named = Object.entries(attributes).map(([name, value]) => [`cloudEvents_${name}`, value])
        channel.sendToQueue('events', Buffer.from('{}'), { headers: Object.fromEntries(named) })
        await channel.waitForConfirms()
        await connection.close()
      },
    }
  },
  sqs({ sqs: access }: Config) {
    const sqs = createSqs(access as NonNullable<typeof access>)
    return {
      drain: async () => drainSqs(sqs, await queueUrl(sqs, 'events')),
      async send(attributes: Record<string, string>) {
        const named = Object.entries(attributes).map(([name, StringValue]) => [
          `ce_${name}`,
          { DataType: 'String', StringValue },
        ])
        const MessageAttributes = Object.fromEntries(named)
        await sqs.send(
          new SendMessageCommand({ QueueUrl: await queueUrl(sqs, 'events'), MessageBody: '{}', MessageAttributes }),
        )
      },
    }
  },
}

describe.each(queueServers)('verify --queue of %s', (server) => {
  const able = canTest(server)
  const onQueue = able ? test : test.skip
  let queue: TestQueue
  let stack: TestStack
  beforeAll(async () => {
    if (!able) return
    queue = await startQueue(server, server === 'sqs' ? 22_800 : 22_700)
    await ensureQueues(queue.config, { door: server, queue: 'events', prefetch: 1 }, true)
    const target = server === 'sqs' ? 'events' : 'queue:events'
    stack = await createTestStack(server === 'sqs' ? 22_900 : 23_000, {
      ...queue.env,
      [`TALLY_FORWARD_${server.toUpperCase()}`]: target,
      [`TALLY_FORWARD_${server.toUpperCase()}_EVENTS`]: 'OrderPlaced',
    })
    await stack.start()
  })
  afterAll(async () => {
    await stack?.close()
    await queue?.[Symbol.asyncDispose]()
  })

  const compare = async () => {
    const { exitCode, stdout, stderr } = await stack.run('verify', '--json', '--queue', `${server}:events`)
    if (exitCode === 2) return { exitCode, stderr }
    const { findings } = JSON.parse(stdout) as { findings: Finding[] }
    const { figures, examples } = findings.find(({ id }) => id === 'handed-over') as Finding
    return { exitCode, figures, examples }
  }
  const place = async (count: number, seed: number) =>
    void succeeded(await stack.run('produce', 'OrderPlaced', '--count', String(count), '--seed', String(seed)))

  onQueue('compares what came out with the topics, whenever it came out, and counts repeats', async () => {
    await place(30, 1)
    expect(await compare()).toEqual({ exitCode: 0, figures: '30 events came out, 0 repeats, 0 missing', examples: [] })
    await place(5, 2)
    expect(await compare()).toMatchObject({ exitCode: 0, figures: '35 events came out, 0 repeats, 0 missing' })
    await place(1, 3)
    const taken: string[] = []
    await waitUntil('the event', async () => {
      taken.push(...(await clients[server](queue.config).drain()).map(({ id }) => id))
      return taken.length === 1
    })
    const [id = ''] = taken
    expect(await compare()).toEqual({
      exitCode: 1,
      figures: '35 events came out, 0 repeats, 1 missing',
      examples: [expect.stringMatching(`^${id} .*did not come out of the queue$`)],
    })
    for (let copy = 0; copy < 3; copy++) await clients[server](queue.config).send({ id })
    expect(await compare()).toMatchObject({ exitCode: 0, figures: '36 events came out, 2 repeats, 0 missing' })
  })

  onQueue('leaves a message that is no event in the queue, and finds one that is on no topic', async () => {
    const client = clients[server](queue.config)
    await client.send({ type: 'of another program' })
    expect(await compare()).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('messages that are no CloudEvents'),
    })
    // SQS shows it again when its visibility timeout is over
    await waitUntil('it is still there', async () => (await client.drain()).length === 1, { withinMs: 120_000 })
    await client.send({ id: 'stranger' })
    expect(await compare()).toEqual({
      exitCode: 1,
      figures: '37 events came out, 2 repeats, 0 missing',
      examples: ['stranger came out of the queue and is on no topic'],
    })
  })
})
