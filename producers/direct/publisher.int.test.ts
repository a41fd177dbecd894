import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { isTallyError } from '../../infra/errors.ts'
import { readTopic } from '../../infra/testing/read-topic.ts'
import { createSandbox } from '../../schemas/testing/sandbox.ts'
import type { Sandbox } from '../../schemas/testing/sandbox.ts'
import { createEncoder } from '../../schemas/codec/encoder.ts'
import { fromHeaders } from '../../schemas/envelope.ts'
import { loadSchemas } from '../../schemas/load-schemas.ts'
import { laneOf } from '../../schemas/partition.ts'
import { generateEvents } from '../sample-data/event-generator.ts'
import { Publisher } from './publisher.ts'

const partitions = 4
const schemas = loadSchemas()
const codec = { encode: createEncoder(schemas, new Map(schemas.map(({ type }, index) => [type, index + 1]))) }

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = createSandbox()
  await sandbox.createTopics(partitions)
})
afterAll(() => sandbox.close())

test('publishes many calls at once, in order per key, in the lane of the key, with their envelope', async () => {
  const { kafka, namespace } = sandbox
  const publisher = await Publisher.connect({ kafka, namespace, codec })
  const events = Array.from({ length: 600 }, (_, round) => [
    ...generateEvents('CancellationRequested', { count: 5, seed: round, key: `order-${round % 7}` }),
  ])
  const time = Date.UTC(2026, 0, 1)
  await Promise.all(events.map((some) => publisher.publish(some.map((event) => ({ ...event, time })))))
  expect(publisher.pending).toBe(0)
  await publisher.stop()

  const records = await readTopic(kafka, `${namespace}orders`)
  for (const { key, partition } of records) expect(partition).toBe(laneOf(String(key), partitions))
  for (let order = 0; order < 7; order++) {
    const ofKey = records.filter(({ key }) => String(key) === `order-${order}`)
    const sent = events.flat().filter(({ data }) => 'orderId' in data && data.orderId === `order-${order}`)
    expect(ofKey.map(({ headers }) => fromHeaders(headers).id)).toEqual(sent.map(({ id }) => id))
  }
  expect(fromHeaders(records[0]?.headers)).toMatchObject({
    type: 'CancellationRequested',
    source: '/tally/produce',
    time,
    subject: String(records[0]?.key),
    correlationId: String(records[0]?.key),
  })
})

test('an event that does not fit its schema is refused with its whole call, and other calls continue', async () => {
  const { kafka, namespace } = sandbox
  const publisher = await Publisher.connect({ kafka, namespace, codec })
  const [good, bad, other] = generateEvents('StockReplenished', { count: 3, seed: 1 })
  if (!good || !bad || !other) throw new Error('three events were asked for')
  Object.assign(bad.data, { quantity: 0 })
  const [first, second] = await Promise.allSettled([publisher.publish([good, bad]), publisher.publish([other])])
  await publisher.stop()
  expect(first.status === 'rejected' && isTallyError(first.reason, 'INVARIANT')).toBe(true)
  expect(second.status).toBe('fulfilled')
  const ids = (await readTopic(kafka, `${namespace}stock`)).map(({ headers }) => fromHeaders(headers).id)
  expect(ids).toEqual([other.id])
})

test('stop waits for what was handed over, and refuses what comes later', async () => {
  const { kafka, namespace } = sandbox
  const publisher = await Publisher.connect({ kafka, namespace, codec })
  const events = [...generateEvents('ShipmentScheduled', { count: 5_000, seed: 3 })]
  const published = publisher.publish(events)
  await publisher.stop()
  await published
  await expect(publisher.publish(events)).rejects.toThrow('stopped')
  const admin = kafka.admin()
  await admin.connect()
  const ends = await admin.fetchTopicOffsets(`${namespace}shipping`)
  await admin.disconnect()
  expect(ends.reduce((sum, { high }) => sum + Number(high), 0)).toBe(5_000)
})

test('says which topics are missing', async () => {
  const other = createSandbox()
  const failure = await Publisher.connect({ kafka: other.kafka, namespace: other.namespace, codec }).catch(
    (error: unknown) => error,
  )
  await other.close()
  expect(isTallyError(failure, 'NOT_DEPLOYED')).toBe(true)
  expect(String(failure)).toContain(`${other.namespace}orders`)
})
