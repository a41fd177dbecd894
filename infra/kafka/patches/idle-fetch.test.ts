import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { createRequire } from 'node:module'
import { idleWaitMs, patchIdleFetch } from './idle-fetch.ts'

interface Group {
  generationId: number
  maxWaitTime: number
  fetch(nodeId: number): Promise<object[]>
}
const { prototype } = createRequire(import.meta.url)('kafkajs/src/consumer/consumerGroup') as { prototype: Group }
const full = { isEmpty: () => false }
const empty = { isEmpty: () => true }
let answer: object[] = []
prototype.fetch = async () => answer // Stands for the broker; the patch is applied on top of it
patchIdleFetch()

beforeEach(() => void jest.useFakeTimers({ now: 0 }))
afterEach(() => void jest.useRealTimers())

const member = (): Group =>
  Object.assign(Object.create(prototype) as Group, { sessionTimeout: 6_000, maxWaitTime: 100, generationId: 1 })

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
  expect(await waitOf(group)).toBe(500)
  answer = [empty, full]
  await group.fetch(1)
  answer = []
  expect(await waitOf(group)).toBe(100)
  jest.advanceTimersByTime(5_100)
  expect(await waitOf(group)).toBe(500)
  group.generationId = 2
  expect(await waitOf(group)).toBe(100)
})

test('a member that is idle still heartbeats twelve times in a session', () => {
  expect(idleWaitMs(6_000)).toBe(500)
  expect(idleWaitMs(1_200)).toBe(100)
  expect(idleWaitMs(60_000)).toBe(500)
})
