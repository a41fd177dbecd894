import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Producer } from 'kafkajs'
import { createSandbox } from '../../../schemas/testing/sandbox.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import { waitUntil } from '../../testing/wait-until.ts'
import { readHighWatermarks, readOpenTransactions } from './open-transactions.ts'

let sandbox: Sandbox
let producer: Producer
beforeAll(async () => {
  sandbox = createSandbox()
  await sandbox.createTopics(2)
  producer = sandbox.kafka.producer({
    transactionalId: `${sandbox.namespace}foreign`,
    maxInFlightRequests: 1,
    idempotent: true,
    allowAutoTopicCreation: false,
  })
  await producer.connect()
})
afterAll(async () => {
  await producer.disconnect()
  await sandbox.close()
})

test('an open transaction is found with its first offset, its time and what it holds back, until it ends', async () => {
  const topic = `${sandbox.namespace}orders`
  const places = [0, 1].map((partition) => ({ topic, partition }))
  const began = Date.now()
  const send = { topic, messages: [0, 0, 0].map((partition) => ({ key: 'k', value: 'v', partition })) }
  const plain = sandbox.kafka.producer({ allowAutoTopicCreation: false })
  await plain.connect()
  await plain.send(send)
  expect(await readOpenTransactions(sandbox.kafka, places)).toEqual([])

  const transaction = await producer.transaction()
  await transaction.send(send)
  await plain.send(send)
  await plain.disconnect()
  const [found, ...more] = await readOpenTransactions(sandbox.kafka, places)
  expect(more).toEqual([])
  expect(found).toEqual({
    topic,
    partition: 0,
    offset: 3,
    end: 9,
    since: expect.any(Number),
    openMs: expect.any(Number),
  })
  expect(found?.since).toBeGreaterThanOrEqual(began - 60_000)
  expect(await readHighWatermarks(sandbox.kafka, places)).toEqual(
    new Map([
      [`${topic}/0`, 9],
      [`${topic}/1`, 0],
    ]),
  )

  await transaction.abort()
  await waitUntil('it is gone', async () => (await readOpenTransactions(sandbox.kafka, places)).length === 0)
})
