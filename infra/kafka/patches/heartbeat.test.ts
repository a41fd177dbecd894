import { createRequire } from 'node:module'
import { expect, test } from '@jest/globals'
import kafkajs from 'kafkajs'
import { patchHeartbeat } from './heartbeat.ts'

patchHeartbeat()

const requests = ['heartbeat', 'joinGroup', 'syncGroup'] as const
type Broker = Record<(typeof requests)[number], (request: object) => Promise<unknown>>
const require = createRequire(import.meta.url)
const { prototype } = require('kafkajs/src/broker') as { prototype: Broker }

/** A broker whose connection fails every request with this error. */
const failing = (error: Error): Broker =>
  Object.assign(Object.create(prototype) as Broker, {
    lookupRequest: () => () => ({}),
    connectionPool: { send: () => Promise.reject(error), destroy: async () => {} },
  })

test.each(requests)('%s without an answer: the coordinator is looked for again', async (name) => {
  const lost = new kafkajs.KafkaJSConnectionError('Connection error: connect ECONNREFUSED')
  await expect(failing(lost)[name]({})).rejects.toMatchObject({
    name: 'KafkaJSProtocolError',
    type: 'NOT_COORDINATOR_FOR_GROUP',
    retriable: true,
  })
})

test.each(requests)('%s: what the coordinator answers stays', async (name) => {
  const answer = new kafkajs.KafkaJSProtocolError(
    Object.assign(new Error('unknown member'), { type: 'UNKNOWN_MEMBER_ID', code: 25, retriable: false }),
  )
  await expect(failing(answer)[name]({})).rejects.toBe(answer)
})

test('a join for which no coordinator is found is repeated under the same id', async () => {
  const ConsumerGroup = require('kafkajs/src/consumer/consumerGroup') as { prototype: Record<symbol, () => unknown> }
  const join = Object.getOwnPropertySymbols(ConsumerGroup.prototype).find(({ description }) =>
    description?.endsWith(':join'),
  )!
  const lost = new kafkajs.KafkaJSConnectionError('Connection error: connect ECONNREFUSED')
  const member = Object.assign(Object.create(ConsumerGroup.prototype) as Record<symbol, () => unknown>, {
    cluster: { findGroupCoordinator: () => Promise.reject(lost) },
  })
  await expect(member[join]!()).rejects.toMatchObject({ type: 'NOT_COORDINATOR_FOR_GROUP', retriable: true })
})
