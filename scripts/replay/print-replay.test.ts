import { test } from '@jest/globals'
import type { Plan, PlanPartition } from '../../consumers/operations/replay/plan.ts'
import { expectReport } from '../testing/expect-report.ts'
import { listReport } from './list.ts'
import { planReport } from './print-plan.ts'
import { showReport } from './show.ts'

const then = Date.parse('2026-03-01T18:00:00Z')
const range = (topic: string, partition: number): PlanPartition => ({
  ...{
    topic,
    partition,
    low: 1_000_000,
    end: 2_345_678,
    from: 1_000_000,
    to: 2_345_678,
    position: 2_345_678,
    lost: 12,
  },
  ...{ scanned: 1_345_678, selected: 1_234_567, bytes: 512_345_678, firstTime: then, lastTime: then + 86_400_000 },
  ...{ handled: 1_234_000, known: 1_233_999, forgotten: 1 },
})
const plan: Plan = {
  ...{
    format: 1,
    id: 'a1b2',
    createdAt: '2026-03-02T08:00:00Z',
    mode: 'redeliver',
    group: 'order-status',
    toTopic: null,
  },
  cluster: { id: 'c', namespace: 'shop.', partitions: 12 },
  topics: [],
  selector: {},
  partitions: ['orders', 'payments', 'notifications'].flatMap((topic) =>
    [...Array(4).keys()].map((partition) => range(topic, partition)),
  ),
  schemas: [
    { id: 17, type: 'OrderPlaced', records: 1_234_567, parked: 3, outbox: 12, unreadable: null },
    {
      id: 3,
      type: null,
      records: 5,
      parked: 0,
      outbox: 0,
      unreadable: 'no event of this version has the field lines[].sku',
    },
  ],
  unframed: 7,
  parkedEvents: 57,
}
const config = { namespace: 'shop.', kafka: { brokers: ['127.0.0.1:20092', '127.0.0.1:20093'] } } as never

test('a plan', () => expectReport(planReport(plan, { config, out: 'plan.json', csv: 'offsets.csv', refusals: [] })))
test('a plan by partition that would be refused', () =>
  expectReport(
    planReport(plan, {
      ...{ config, partitions: true },
      refusals: ['12 offsets were deleted by retention: --accept-lost replays the rest', '7 records cannot be read'],
    }),
  ))
test('a plan of nothing', () =>
  expectReport(
    planReport(
      { ...plan, group: null, mode: 'copy', toTopic: 'trial', partitions: [], schemas: [], parkedEvents: 0 },
      { config, refusals: [] },
    ),
  ))

const replay = (id: number, more: object = {}) => ({
  ...{ id, mode: 'reprocess', target: 'order-status', state: 'done', actor: 'ann', reason: null, runner: 'host:4001' },
  ...{ why: 'the discount of the winter sale was computed twice for customers with a voucher', plan, planId: 'a1b2' },
  ...{ options: { rate: 200, maxLag: 1_000 }, figures: { handled: 1_234_567, statesWritten: 12, failed: 40 } },
  ...{
    createdAt: new Date(then),
    endedAt: new Date(then + 3_600_000),
    share: 1,
    partitions: [],
    failures: [],
    ...more,
  },
})

test('replays', () =>
  expectReport(
    listReport(
      [
        replay(12, { endedAt: null, state: 'paused', share: 0.421 }),
        replay(7, { why: null, actor: 'deploy-automation' }),
      ] as never,
      then + 7_200_000,
    ),
  ))
test('no replays', () => expectReport(listReport([])))

const failure = (offset: number) => ({
  ...{ topic: 'orders', partition: 3, offset, type: 'OrderPlaced', key: '0198c6f2-49a5-7d1c-8ffc-c4a26a3f6272' },
  ...{ reason: 'HANDLER_FAILED', error: 'lines[0].quantity is "two", which is not a whole number of at least 1' },
})
const shown = replay(12, {
  ...{ endedAt: null, state: 'paused', reason: 'an event failed' },
  partitions: plan.partitions.map((each) => ({ ...each, next: 1_500_000, before: 1_999 })),
  failures: [...Array(30).keys()].map(failure),
}) as never
test('one replay', () => expectReport(showReport(shown)))
test('one replay by partition', () => expectReport(showReport(shown, true)))
