import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Message } from 'kafkajs'
import { createTopics } from './topics.ts'
import { isTallyError } from '../errors.ts'
import { withAdmin } from './admin.ts'
import { openRangeReader } from './read-ranges.ts'
import type { RangeReader, ReadRange } from './read-ranges.ts'
import { createSandbox } from '../../schemas/testing/sandbox.ts'
import type { Sandbox } from '../../schemas/testing/sandbox.ts'

let sandbox: Sandbox
beforeAll(() => {
  sandbox = createSandbox()
})
afterAll(() => sandbox.close())

/** A topic whose values are its offsets. */
async function filled(counts: readonly number[], valueBytes = 10): Promise<string> {
  const topic = `${sandbox.namespace}read-${randomUUID()}`
  await withAdmin(sandbox.kafka, (admin) => createTopics(admin, [{ topic, numPartitions: counts.length }]))
  const producer = sandbox.kafka.producer()
  await producer.connect()
  for (const [partition, count] of counts.entries()) {
    const messages = Array.from(
      { length: count },
      (_, n): Message => ({ partition, value: String(n).padEnd(valueBytes) }),
    )
    for (let n = 0; n < count; n += 200) await producer.send({ topic, acks: -1, messages: messages.slice(n, n + 200) })
  }
  await producer.disconnect()
  return topic
}

const open = (ranges: readonly ReadRange[], bufferBytes?: number, signal = new AbortController().signal) =>
  openRangeReader({ kafka: sandbox.kafka, ranges, signal, ...(bufferBytes && { bufferBytes }) })

async function readAll(reader: RangeReader, topic: string, partition: number): Promise<number[]> {
  const values: number[] = []
  for (let piece; (piece = await reader.next(topic, partition)); )
    values.push(...piece.records.map(({ value }) => Number(value)))
  return values
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

test('each range is read from its first offset to its last, no further, whichever is requested first', async () => {
  const topic = await filled([5_000, 300, 10])
  await using reader = await open([
    { topic, partition: 0, from: 1_234, to: 4_321 },
    { topic, partition: 1, from: 0, to: 300 },
    { topic, partition: 2, from: 7, to: 7 },
  ])
  expect(await readAll(reader, topic, 1)).toEqual(numbers(0, 300))
  expect(await readAll(reader, topic, 2)).toEqual([])
  expect(await readAll(reader, topic, 0)).toEqual(numbers(1_234, 4_321))
  expect(await reader.next(topic, 0)).toBeUndefined()
})

test('the marks that end transactions, and what was aborted, are passed over', async () => {
  const topic = await filled([3])
  const producer = sandbox.kafka.producer({ transactionalId: randomUUID(), maxInFlightRequests: 1, idempotent: true })
  await producer.connect()
  for (const end of ['commit', 'abort'] as const) {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ partition: 0, value: '3' }] })
    await transaction[end]()
  }
  await producer.disconnect()
  const [at] = await withAdmin(sandbox.kafka, (admin) => admin.fetchTopicOffsets(topic))
  expect(at?.high).toBe('7') // three, one and its mark, one aborted and its mark
  await using reader = await open([{ topic, partition: 0, from: 0, to: 7 }])
  expect(await readAll(reader, topic, 0)).toEqual([0, 1, 2, 3])
})

test('what retention has deleted is an error, also while reading: little is read ahead of who takes slowly', async () => {
  const topic = await filled([3_000], 2_000)
  const deleteBefore = (offset: string) =>
    withAdmin(sandbox.kafka, async (admin) => {
      await admin.fetchTopicOffsets(topic) // kafkajs must have heard of the topic
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset }] })
    })
  await using reader = await open([{ topic, partition: 0, from: 0, to: 3_000 }], 2 ** 16)
  expect((await reader.next(topic, 0))?.records[0]?.offset).toBe('0')
  await deleteBefore('2999')
  const during = await failureOf(readAll(reader, topic, 0))
  expect(isTallyError(during, 'EVENTS_GONE')).toBe(true)
  await using late = await open([{ topic, partition: 0, from: 10, to: 3_000 }])
  expect(isTallyError(await failureOf(late.next(topic, 0)), 'EVENTS_GONE')).toBe(true)
})

test('an end the log has not got is an error, not a wait without end', async () => {
  const topic = await filled([5])
  await using reader = await open([{ topic, partition: 0, from: 0, to: 6 }])
  const failure = await failureOf(readAll(reader, topic, 0))
  expect(failure).toMatchObject({ code: 'EVENTS_GONE', message: expect.stringContaining('ends at offset 5, not 6') })
})

test('a topic or partition that does not exist is named, and no topic is made by asking', async () => {
  const topic = await filled([1])
  const missing = `${sandbox.namespace}missing`
  expect(await failureOf(open([{ topic: missing, partition: 0, from: 0, to: 1 }]))).toMatchObject({ code: 'USAGE' })
  expect(await withAdmin(sandbox.kafka, (admin) => admin.listTopics())).not.toContain(missing)
  await using reader = await open([{ topic, partition: 5, from: 0, to: 1 }])
  expect(await failureOf(reader.next(topic, 5))).toMatchObject({ code: 'USAGE' })
})

test('a signal ends the waiting with its reason', async () => {
  const topic = await filled([2_000], 1_000)
  const abort = new AbortController()
  await using reader = await open([{ topic, partition: 0, from: 0, to: 2_000 }], 2 ** 16, abort.signal)
  await reader.next(topic, 0)
  const rest = failureOf(readAll(reader, topic, 0))
  abort.abort(new Error('stop here'))
  expect(await rest).toMatchObject({ message: 'stop here' })
})
