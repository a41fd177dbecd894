import { expect, test } from '@jest/globals'
import { judgeConnections } from '../../../infra/doctor/check-connections.ts'
import { judgeClock, judgeServer } from '../../../infra/doctor/check-server.ts'
import { judgeDisk } from './check-disk.ts'
import { judgeTopic } from './check-topics.ts'
import { findingsOf } from '../../../infra/doctor/finding.ts'

const dayMs = 24 * 3_600_000
const good = {
  'retention.ms': String(7 * dayMs),
  'min.insync.replicas': '2',
  'cleanup.policy': 'delete',
  'message.timestamp.type': 'LogAppendTime',
  'max.message.bytes': '1048588',
}
const partition = { replicas: [1, 2, 3], isr: [1, 2, 3] }
const judge = (settings: object = {}, partitions = [partition, partition]) =>
  judgeTopic(
    { name: 'orders', partitions, settings: new Map(Object.entries({ ...good, ...settings })) },
    { partitions: 2, copies: 3 },
  ).map(({ problem }) => problem)

test('a topic as deployed is good', () => {
  expect(judge()).toEqual([])
})

test.each([
  [{ 'retention.ms': String(30 * dayMs) }, /longer than the inbox knows their ids \(21 days\)/],
  [{ 'retention.ms': '-1' }, /longer than the inbox/],
  [{ 'retention.ms': '3600000' }, /less than a day/],
  [{ 'min.insync.replicas': '1' }, /may be lost/],
  [{ 'min.insync.replicas': '3' }, /no broker may fail/],
  [{ 'cleanup.policy': 'compact,delete' }, /compaction/],
  [{ 'message.timestamp.type': 'CreateTime' }, /dated by their producers/],
  [{ 'max.message.bytes': '1000' }, /refuses batches/],
])('a topic with %j is not', (settings, expected) => {
  expect(judge(settings)).toEqual([expect.stringMatching(expected)])
})

test('partitions, copies and copies in sync are counted', () => {
  expect(judge({}, [partition])).toEqual(['orders: 1 partitions, not 2'])
  expect(judge({}, [partition, { replicas: [1, 2, 3], isr: [1] }])).toEqual([
    'orders: 1 partitions lack an in-sync copy',
  ])
  const alone = { replicas: [1], isr: [1] }
  expect(judge({ 'min.insync.replicas': '1' }, [alone, alone])).toEqual([
    'orders: 1 copies on a cluster with room for 3',
  ])
})

const limits = { maxConnections: 200, reserved: 3, lanes: 12 }
const services = (replicas: number) => [
  { service: 'payment', each: 6, replicas },
  { service: 'orders-api', each: 8, replicas },
]

test('the wanted replicas fit into the connections, or the cure says how many are needed and which help nothing', () => {
  expect(judgeConnections(services(10), limits)).toEqual([])
  const [finding] = judgeConnections(services(50), limits)
  expect(finding?.problem).toContain('may open 720 connections (payment 50 × 6, orders-api 50 × 8, 20 for commands)')
  expect(finding?.cure).toContain('Raise max_connections to 723')
  expect(finding?.cure).toContain('at most 12 replicas of a consumer, one per lane: that saves 228')
})

test('versions, roles, clocks and disks', () => {
  expect(judgeServer({ version: 180_004, readOnly: false })).toEqual([])
  expect(judgeServer({ version: 150_018, readOnly: true })).toHaveLength(2)
  expect(judgeClock('The database', 900)).toEqual([])
  expect(judgeClock('The database', -3_600_000)[0]?.problem).toBe("The database's clock is 3,600 s behind this host's")
  expect(judgeDisk('/data', { free: 100 * 2 ** 30, size: 500 * 2 ** 30 })).toEqual([])
  expect(judgeDisk('/data', { free: 2 ** 30, size: 10 * 2 ** 30 })[0]?.problem).toContain('1.0 GB free, 10 %')
})

test('a check that throws or hangs is a finding', async () => {
  const options = { area: 'registry', cure: 'Start it', withinMs: 20 } as const
  const thrown = await findingsOf(options, () => Promise.reject(new Error('refused.')))
  expect(thrown).toEqual([{ area: 'registry', problem: 'refused', cure: 'Start it' }])
  expect(await findingsOf(options, () => new Promise(() => {}))).toMatchObject([{ problem: 'no answer within 0.02 s' }])
})
