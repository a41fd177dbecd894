import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import kafkajs from 'kafkajs'
import type { Kafka } from 'kafkajs'
import { isTallyError } from '../errors.ts'
import { RecordSender } from './record-sender.ts'
import type { OutgoingRecord } from './record-sender.ts'
import { readTopic } from '../testing/read-topic.ts'
import { createSandbox } from '../../schemas/testing/sandbox.ts'
import type { Sandbox } from '../../schemas/testing/sandbox.ts'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = createSandbox()
  await sandbox.createTopics(3)
})
afterAll(() => sandbox.close())

const topicOf = (name: string) => `${sandbox.namespace}${name}`
const record = (topic: string, partition: number, key: string): OutgoingRecord => ({
  topic: topicOf(topic),
  partition,
  key,
  value: Buffer.from(`value of ${key}`),
  headers: { ce_id: key },
})
const keys = async (topic: string) => (await readTopic(sandbox.kafka, topicOf(topic))).map(({ key }) => String(key))

test('records of several topics and partitions are all there, in order per partition', async () => {
  const sender = new RecordSender(sandbox.kafka)
  const records = Array.from({ length: 300 }, (_, n) => record(n % 2 ? 'orders' : 'stock', n % 3, `k${n}`))
  await sender.send(records.slice(0, 150))
  await sender.send(records.slice(150))
  await sender.stop()
  for (const topic of ['orders', 'stock']) {
    const read = await readTopic(sandbox.kafka, topicOf(topic))
    for (const partition of [0, 1, 2]) {
      const there = read.filter((one) => one.partition === partition).map(({ key }) => String(key))
      const sent = records.filter((one) => one.topic === topicOf(topic) && one.partition === partition)
      expect(there).toEqual(sent.map(({ key }) => key))
    }
  }
})

test('an answer that does not name a partition is no acknowledgement, and sending again works', async () => {
  const sender = new RecordSender(forgetting(sandbox.kafka, 1))
  const records = [record('payments', 0, 'a'), record('payments', 1, 'b')]
  const failure = await sender.send(records).catch((error: unknown) => error)
  expect(isTallyError(failure, 'UNREACHABLE') && failure.retryable).toBe(true)
  await sender.send(records)
  await sender.stop()
  expect((await keys('payments')).toSorted()).toEqual(['a', 'a', 'b', 'b'])
})

test('records whose acknowledgement is lost are sent again by a new producer, which the broker does not take for a repeat', async () => {
  const cuts = { left: 2 } // As often as kafkajs tries
  const sender = new RecordSender(cutting(sandbox.config.kafka.brokers, cuts))
  const records = Array.from({ length: 10 }, (_, n) => record('inventory', 0, `k${n}`))
  const failure = await sender.send(records).catch((error: unknown) => error)
  expect(isTallyError(failure, 'UNREACHABLE')).toBe(true)
  expect(cuts.left).toBe(0)
  await sender.send(records)
  await sender.stop()
  const sent = records.map(({ key }) => key)
  expect(await keys('inventory')).toEqual([...sent, ...sent])
})

describe('what no retry can change', () => {
  test('a record the broker refuses is an error for good', async () => {
    const sender = new RecordSender(sandbox.kafka)
    const failure = await sender
      .send([{ ...record('shipping', 0, 'huge'), value: Buffer.alloc(2_000_000) }])
      .catch((error: unknown) => error)
    await sender.stop()
    expect(isTallyError(failure, 'REFUSED_BY_KAFKA') && !failure.retryable).toBe(true)
    expect(String(failure)).toContain('MESSAGE_TOO_LARGE')
  })

  test('two requests at a time are refused before anything is sent', async () => {
    const sender = new RecordSender(sandbox.kafka)
    const first = sender.send([record('shipping', 1, 'first')])
    const second = await sender.send([record('shipping', 1, 'second')]).catch((error: unknown) => error)
    await first
    await sender.stop()
    expect(isTallyError(second, 'INVARIANT')).toBe(true)
    expect(await keys('shipping')).toEqual(['first'])
  })
})

/** The real client, but its first answer lacks a partition, as after a retry that skipped a broker. */
function forgetting(kafka: Kafka, partition: number): Kafka {
  let forgets = true
  return {
    consumer: (config) => kafka.consumer(config),
    admin: (config) => kafka.admin(config),
    logger: () => kafka.logger(),
    producer: (config) => {
      const producer = kafka.producer(config)
      return {
        ...producer,
        sendBatch: async (batch) => {
          const answer = await producer.sendBatch(batch)
          const forgotten = forgets ? answer.filter((one) => one.partition !== partition) : answer
          forgets = false
          return forgotten
        },
      }
    },
  }
}

const produceApiKey = 0

/** A client whose connection ends when the broker has written records and is about to say so. */
function cutting(brokers: string[], cuts: { left: number }): Kafka {
  const socketFactory = ({ host, port, onConnect }: { host: string; port: number; onConnect: () => void }): Socket => {
    const socket = connect({ host, port }, onConnect)
    const [write, emit] = [socket.write.bind(socket), socket.emit.bind(socket)]
    let produced = false
    socket.write = ((request: Buffer, ...rest: []) => {
      produced ||= request.readInt16BE(4) === produceApiKey // Behind the length
      return write(request, ...rest)
    }) as Socket['write']
    socket.emit = ((event: string, ...rest: unknown[]) => {
      if (event !== 'data' || !produced || cuts.left === 0) return emit(event, ...rest)
      cuts.left--
      socket.destroy()
      return emit('end')
    }) as Socket['emit']
    return socket
  }
  return new kafkajs.Kafka({
    brokers,
    clientId: 'cut',
    requestTimeout: 8_000,
    retry: { initialRetryTime: 10, retries: 3 },
    logLevel: kafkajs.logLevel.NOTHING,
    socketFactory: socketFactory as never,
  })
}
