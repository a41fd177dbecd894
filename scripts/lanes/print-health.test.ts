import { test } from '@jest/globals'
import { judgeLanes } from '../../consumers/operations/lanes/lane-health.ts'
import type { LaneRow } from '../../consumers/operations/lanes/lane-row.ts'
import type { GroupHealth, Health } from '../../consumers/operations/lanes/read-health.ts'
import { expectReport } from '../testing/expect-report.ts'
import { healthReport, lanesReport } from './print-health.ts'

const row = (lane: number, replica: string): LaneRow => ({
  ...{ lane, epoch: 1_234, owner: replica, silentMs: 200, phase: 'live', reason: null, phaseMs: 60_000, pause: null },
  ...{ positions: { orders: 1_234_567 }, again: null, parked: 0, forPersons: 0, pace: null, outbox: 0, outboxMs: null },
  ...{ calls: 0, failingCalls: 0, callError: null, timers: 40, overdueTimers: 0 },
})

const ends = (end: number) => new Map([...Array(12).keys()].map((lane) => [lane, { low: 0, end }]))

const group = (name: string, changes: Readonly<Record<number, Partial<LaneRow>>> = {}): GroupHealth => ({
  group: name,
  lanes: judgeLanes(
    [...Array(12).keys()].map((lane) => ({
      ...row(lane, `${name}@orders-host-17:${30_000 + lane}`),
      ...changes[lane],
    })),
    ['orders'],
    12,
    new Map([['orders', ends(1_240_000)]]),
  ),
})

const healthy: Health = {
  groups: ['inventory', 'notifications', 'order-status', 'payment', 'shipping'].map((name) => group(name)),
  undeployed: [],
  orders: { waiting: 0, oldestMs: null },
  brokerTrouble: undefined,
}

const pause = { actor: 'ann', reason: 'the gateway is being moved to the other data centre tonight', ms: 700_000 }
const troubled: Health = {
  groups: [
    group('payment', {
      0: { pause, phase: 'paused' },
      1: { pause, phase: 'paused' },
      3: { silentMs: 40_000 },
      5: { parked: 12, forPersons: 3, calls: 40, failingCalls: 7, callError: 'HTTP 503 from the payment gateway' },
      7: { phase: 'stopped', reason: 'orders/7: records 100 to 2000 were deleted by retention before they were read' },
      8: { silentMs: null, owner: null },
    }),
    group('order-status', { 2: { outbox: 1_200, outboxMs: 90_000 } }),
  ],
  undeployed: ['loyalty', 'reporting'],
  orders: { waiting: 12_000, oldestMs: 400_000 },
  brokerTrouble: undefined,
}

test('consumers that work', () => expectReport(healthReport(healthy)))
test('consumers in trouble', () => expectReport(healthReport(troubled)))
test('no consumer', () => expectReport(healthReport({ ...healthy, groups: [] })))
test('a broker that does not answer', () =>
  expectReport(healthReport({ ...healthy, brokerTrouble: 'Kafka at 127.0.0.1:29092 does not answer within 3 s' })))
test('a broker that is too slow to say which transactions are open: the lag is known all the same', () =>
  expectReport(healthReport({ ...healthy, transactionTrouble: 'Kafka at 127.0.0.1:29092 does not answer within 3 s' })))
test('every lane', () =>
  expectReport(lanesReport({ ...troubled, groups: [group('payment', { 5: { parked: 3, outbox: 1_200 } })] })))
