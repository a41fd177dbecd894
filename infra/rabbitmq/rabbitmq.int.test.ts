import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { ChannelModel } from 'amqplib'
import { trustAuthorities } from '../security/authorities.ts'
import { stackCredentials } from '../security/stack-credentials.ts'
import { createTestLogger } from '../testing/test-logger.ts'
import { canTest, startQueue } from '../testing/queues/start-queues.ts'
import type { TestQueue } from '../testing/queues/start-queues.ts'
import { waitUntil } from '../testing/wait-until.ts'
import { drainRabbitmqQueue } from './drain.ts'
import { closeRabbitmq, connectRabbitmq, keepRabbitmq } from './connect.ts'

const onRabbitmq = canTest('rabbitmq') ? describe : describe.skip

onRabbitmq('a connection to RabbitMQ', () => {
  let server: TestQueue
  beforeAll(async () => {
    server = await startQueue('rabbitmq', 22_000)
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })
  const access = (password?: string) => {
    const url = new URL(server.config.rabbitmq.url as string)
    if (password !== undefined) url.password = password
    return { url: url.href, name: 'test' }
  }

  test('a message that was confirmed is still there after the server was killed; the connection is made again', async () => {
    const opened: ChannelModel[] = []
    const kept = keepRabbitmq(access(), {
      log: createTestLogger('debug'),
      setup: async (connection) => {
        const channel = await connection.createConfirmChannel()
        await channel.assertQueue('kept', { durable: true })
        if (opened.length === 0) channel.sendToQueue('kept', Buffer.from('hello'), { persistent: true })
        await channel.waitForConfirms()
        opened.push(connection)
      },
    })
    await waitUntil('the message is confirmed', () => opened.length === 1)
    server.kill()
    await server.restarted()
    await waitUntil('the connection is made again', () => opened.length === 2)
    const connection = await connectRabbitmq(access())
    const channel = await connection.createChannel()
    const found = await waitUntil('the message', () => channel.get('kept', { noAck: true }))
    expect(found && found.content.toString()).toBe('hello')
    await connection.close()
    await kept.stop()
    await kept.ended
  })

  test('who drains a queue is told of its other readers, who keep it empty', async () => {
    const connection = await connectRabbitmq(access())
    const channel = await connection.createChannel()
    await channel.assertQueue('read by others', { durable: true })
    await channel.consume('read by others', () => {})
    const told: unknown[] = []
    await drainRabbitmqQueue(access(), 'read by others', (messages, consumers) => void told.push([messages, consumers]))
    expect(told).toEqual([[[], 1]])
    await connection.close()
  })

  test('what is missing and what is refused is no server that does not answer', async () => {
    const none = drainRabbitmqQueue(access(), 'missing', () => {})
    await expect(none).rejects.toThrow(/^RabbitMQ has no such queue or exchange: declare it/)
    const elsewhere = new URL(access().url)
    elsewhere.pathname = '/nosuch'
    await expect(connectRabbitmq({ url: elsewhere.href, name: 'test' })).rejects.toMatchObject({ code: 'DENIED' })
    const secured = new URL(access().url)
    secured.protocol = 'amqps:'
    const noTls = connectRabbitmq({ url: secured.href, name: 'test' })
    await expect(noTls).rejects.toThrow(/^RabbitMQ speaks no TLS on this port.*[^\s]$/)
  })

  test('a connection whose setup never ends is given up and made again', async () => {
    let setups = 0
    const setup = () => (++setups === 1 ? new Promise<void>(() => {}) : Promise.resolve())
    const kept = keepRabbitmq(access(), { log: createTestLogger('debug'), setup, setupMs: 100 })
    await waitUntil('another setup', () => setups === 2)
    await kept.stop()
  })

  test('a frozen server holds up no one who closes a connection', async () => {
    let set = false
    const setup = async () => void (set = true)
    const kept = keepRabbitmq(access(), { log: createTestLogger('debug'), setup })
    const connection = await connectRabbitmq(access())
    await waitUntil('a connection', () => set)
    const thaw = server.freeze()
    try {
      await Promise.all([kept.stop(), closeRabbitmq(connection)])
    } finally {
      thaw()
    }
    await expect(connection.createChannel()).rejects.toThrow('closed')
  })

  test('a wrong password is DENIED, once, and no text shows it', async () => {
    const refused = { code: 'DENIED', message: expect.not.stringContaining('incorrect-horse') }
    await expect(connectRabbitmq(access('incorrect-horse'))).rejects.toMatchObject(refused)
    const kept = keepRabbitmq(access('incorrect-horse'), {
      log: createTestLogger('debug'),
      setup: async () => {},
    })
    await expect(kept.ended).rejects.toMatchObject(refused)
  })

  test('a port where nothing listens is UNREACHABLE', async () => {
    await expect(
      connectRabbitmq({ url: 'amqp://u:some-password@127.0.0.1:22099', name: 'test' }),
    ).rejects.toMatchObject({
      code: 'UNREACHABLE',
      retryable: true,
      message: expect.not.stringContaining('some-password'),
    })
  })
})

onRabbitmq('RabbitMQ in a secured data folder', () => {
  test('speaks TLS with a certificate of the folder, which the settings make trusted', async () => {
    await using server = await startQueue('rabbitmq', 22_100, { secured: true })
    const { url } = server.config.rabbitmq
    expect(url).toMatch(/^amqps:/)
    trustAuthorities(stackCredentials(server.config.dataDir)?.authority)
    const connection = await connectRabbitmq({ url: url as string, name: 'test' })
    expect(connection.connection.serverProperties.product).toBe('RabbitMQ')
    await connection.close()
    await expect(
      connectRabbitmq({ url: (url as string).replace('amqps', 'amqp'), name: 'test' }),
    ).rejects.toMatchObject({ code: 'UNREACHABLE' })
  })
})
