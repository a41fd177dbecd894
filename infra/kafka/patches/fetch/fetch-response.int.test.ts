import { expect, test } from '@jest/globals'
import kafkajs from 'kafkajs'
import { createTopics } from '../../topics.ts'
import { withAdmin } from '../../admin.ts'
import { readTopic } from '../../../testing/read-topic.ts'
import { createSandbox } from '../../../../schemas/testing/sandbox.ts'
import type { Sandbox } from '../../../../schemas/testing/sandbox.ts'
import { whyReplaced } from './replaced-value.ts'

const words = Array.from({ length: 500 }, (_, i) => `order ${i} of ${'many '.repeat(i % 40)}`)

const makeTopic = ({ kafka, namespace }: Sandbox, name: string, compression: string) =>
  withAdmin(kafka, async (admin) => {
    const topic = `${namespace}${name}`
    const configEntries = [{ name: 'compression.type', value: compression }]
    await createTopics(admin, [{ topic, numPartitions: 1, replicationFactor: 1, configEntries }])
    return topic
  })

test.each(['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'])('reads what the broker itself wrote: %s', async (kind) => {
  await using sandbox = createSandbox()
  const topic = await makeTopic(sandbox, kind, kind)
  const producer = sandbox.kafka.producer()
  await producer.connect()
  const message = (word: string) => ({ key: word.slice(0, 9), value: word, headers: { length: String(word.length) } })
  await producer.send({ topic, messages: words.map(message) })
  await producer.send({ topic, messages: [{ key: null, value: null, timestamp: '0' }] })
  await producer.disconnect()
  const records = await readTopic(sandbox.kafka, topic)
  expect(records.slice(0, -1).map(({ value }) => String(value))).toEqual(words)
  expect(records.map(({ offset }) => Number(offset))).toEqual([...words.keys(), words.length])
  expect(records.map(({ headers }) => String(headers?.['length']))).toEqual([
    ...words.map(({ length }) => String(length)),
    'undefined',
  ])
  expect(records.at(-1)).toMatchObject({ key: null, value: null, timestamp: '0' })
})

test('a compression bomb keeps its place and costs no memory; what is around it is read', async () => {
  await using sandbox = createSandbox()
  const topic = await makeTopic(sandbox, 'bombs', 'producer')
  const producer = sandbox.kafka.producer()
  await producer.connect()
  const bomb = { key: 'bomb', value: Buffer.alloc(96 * 1024 * 1024) }
  for (const compression of [kafkajs.CompressionTypes.GZIP, kafkajs.CompressionTypes.ZSTD]) {
    const messages = [{ key: 'before', value: '1' }, bomb, { key: 'after', value: '2' }]
    await producer.send({ topic, compression, messages })
  }
  await producer.disconnect()
  const records = await readTopic(sandbox.kafka, topic)
  const seen = records.map(({ key, value }) => `${String(key)} ${whyReplaced(value!) ?? String(value)}`)
  const replaced = expect.stringMatching(/^bomb a record of 1006\d{5} bytes after decompression, too long to hold$/)
  expect(seen).toEqual(['before 1', replaced, 'after 2', 'before 1', replaced, 'after 2'])
})

test('a header flood and odd header names', async () => {
  await using sandbox = createSandbox()
  const topic = await makeTopic(sandbox, 'floods', 'producer')
  const producer = sandbox.kafka.producer()
  await producer.connect()
  const flood = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`h${i}`, String(i)]))
  await producer.send({ topic, messages: [{ value: 'flood', headers: flood }] })
  await producer.send({ topic, messages: [{ value: 'same', headers: { h: Array(9_000).fill('x') as string[] } }] })
  await producer.send({ topic, messages: [{ value: 'over', headers: { h: Array(30_000).fill('') as string[] } }] })
  const odd = JSON.parse('{"__proto__":"a","constructor":"b","":"c"}') as Record<string, string>
  await producer.send({ topic, messages: [{ value: 'odd', headers: odd }] })
  await producer.disconnect()
  const before = process.cpuUsage() // Of the time on the clock a busy machine takes any amount
  const records = await readTopic(sandbox.kafka, topic)
  expect(process.cpuUsage(before).user).toBeLessThan(5_000_000)
  expect(records).toHaveLength(4)
  expect(Object.keys(records[0]!.headers!)).toHaveLength(10_000)
  expect(records[1]!.headers!['h']).toHaveLength(9_000)
  expect(whyReplaced(records[2]!.value!)).toBe('a record with 30000 headers')
  expect(Object.entries(records[3]!.headers!).map(([name, value]) => `${name}=${String(value)}`)).toEqual([
    '__proto__=a',
    'constructor=b',
    '=c',
  ])
})
