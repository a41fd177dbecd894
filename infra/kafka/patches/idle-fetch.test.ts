import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { createRequire } from 'node:module'
import { attend, heartbeatAloneEveryMs, idleWaitMs, patchIdleFetch } from './idle-fetch.ts'

interface Group {
  generationId: number
  maxWaitTime: number
  fetch(nodeId: number): Promise<object[]>
  heartbeat(): Promise<void>
  resume(partitions: unknown): void
  partitionsPerSubscribedTopic: Map<string, number[]>
  cluster: object
}
const { prototype } = createRequire(import.meta.url)('kafkajs/src/consumer/consumerGroup') as { prototype: Group }
const { prototype: runner } = createRequire(import.meta.url)('kafkajs/src/consumer/runner') as {
  prototype: { stop(this: object): Promise<void> }
}
const full = { isEmpty: () => false }
const empty = { isEmpty: () => true }
let answer: object[] = []
let pending: Promise<object[]> | undefined
prototype.fetch = () => pending ?? Promise.resolve(answer) // Stands for the broker; the patch is applied on top of it
prototype.resume = () => {}
runner.stop = async () => {}
patchIdleFetch()

beforeEach(() => {
  jest.useFakeTimers({ now: 0 })
  pending = undefined
})
afterEach(() => void jest.useRealTimers())

const subscriptionState = { assigned: () => [{ topic: 'orders', partitions: [0] }] }
const member = (): Group =>
  Object.assign(Object.create(prototype) as Group, {
    ...{ sessionTimeout: 6_000, maxWaitTime: 100, generationId: 1, subscriptionState },
    partitionsPerSubscribedTopic: new Map([['orders', [0, 1]]]),
  })

async function waitOf(group: Group): Promise<number> {
  await group.fetch(1)
  return group.maxWaitTime
}

test('the wait for records grows while nothing arrives, and is short again after records and after a rebalance', async () => {
  const group = member()
  answer = [empty]
  expect(await waitOf(group)).toBe(100)
  jest.advanceTimersByTime(4_900)
  expect(await waitOf(group)).toBe(100)
  jest.advanceTimersByTime(200)
  expect(await waitOf(group)).toBe(1_000)
  answer = [empty, full]
  await group.fetch(1)
  answer = []
  expect(await waitOf(group)).toBe(100)
  jest.advanceTimersByTime(5_100)
  expect(await waitOf(group)).toBe(1_000)
  group.generationId = 2
  expect(await waitOf(group)).toBe(100)
})

/** A member that has become idle, and its wait for the next answer. */
async function idleMember(partitions = [0, 1]) {
  const group = member()
  group.partitionsPerSubscribedTopic = new Map([['orders', partitions]])
  const beats: number[] = []
  const failing: { error?: Error } = {}
  group.heartbeat = async () => {
    beats.push(performance.now())
    if (failing.error) throw failing.error
  }
  const closed: string[] = []
  const connection = {
    requestQueue: { inflight: new Map([[1, 'fetch']]) },
    rejectRequests: ({ message }: Error) => closed.push(message),
    disconnect: async () => closed.push('disconnected'),
  }
  group.cluster = { findBroker: async () => ({ connectionPool: { pool: [{}, connection] } }) }
  answer = []
  await group.fetch(1)
  jest.advanceTimersByTime(5_100)
  let answered: (batches: object[]) => void = () => {}
  pending = new Promise((resolve) => (answered = resolve))
  const waiting = group.fetch(1)
  waiting.catch(() => {})
  const from = performance.now()
  return { group, waiting, failing, closed, answered, beats: () => beats.map((at) => Math.round(at - from)) }
}

const gaveUp = ['the wait for records was ended', 'disconnected']

test('an idle member heartbeats while it waits, and passes on what arrives', async () => {
  const { waiting, beats, answered, closed } = await idleMember()
  await jest.advanceTimersByTimeAsync(350)
  expect(beats()).toEqual([100, 200, 300])
  answered([full])
  expect(await waiting).toEqual([full])
  await jest.advanceTimersByTimeAsync(1_000)
  expect(beats()).toHaveLength(3)
  expect(closed).toEqual([])
})

test('a member that holds every partition heartbeats as often as it must', async () => {
  const { beats } = await idleMember([0])
  await jest.advanceTimersByTimeAsync(1_100)
  expect(beats()).toEqual([500, 1_000])
  expect(heartbeatAloneEveryMs(1_200)).toBe(100)
})

test('a rebalance ends the wait of an idle member, and its connection, over which the next fetch would wait', async () => {
  const { waiting, failing, closed } = await idleMember()
  failing.error = new Error('rebalance')
  await jest.advanceTimersByTimeAsync(100)
  await expect(waiting).rejects.toThrow('rebalance')
  expect(closed).toEqual(gaveUp)
})

test('a resumed partition ends the wait of an idle member, and the next ones are short', async () => {
  const { group, waiting, closed } = await idleMember()
  attend(group)
  expect(await waiting).toEqual([])
  expect(closed).toEqual(gaveUp)
  pending = undefined
  expect(await waitOf(group)).toBe(100)
})

test('the end of a member ends its wait', async () => {
  const { group, waiting } = await idleMember()
  await runner.stop.call({ consumerGroup: group })
  expect(await waiting).toEqual([])
})

test('an idle member waits for at most a sixth of its session', () => {
  expect(idleWaitMs(6_000)).toBe(1_000)
  expect(idleWaitMs(1_200)).toBe(200)
  expect(idleWaitMs(60_000)).toBe(1_000)
})
