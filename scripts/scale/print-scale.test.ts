import { expect, test } from '@jest/globals'
import type { Passage } from '../../consumers/operations/replicas/lane-trace.ts'
import type { LaneLoad } from '../../consumers/operations/replicas/consumer-load.ts'
import { expectReport } from '../testing/expect-report.ts'
import { adviceReport } from './print-advice.ts'
import { changeReport } from './print-change.ts'
import { loadReport } from './print-load.ts'
import { orphansReport } from './print-orphans.ts'

const lane = (number: number, behind: number | undefined): LaneLoad => ({
  ...{ lane: number, owner: 'payment@orders-host-17:30000', behind, lagMs: (behind ?? 0) * 10 },
  ...{ takenPerSecond: 120.4, arrivingPerSecond: 80, health: {} as never },
})
const replica = (name: string | null, lanes: readonly LaneLoad[]) => ({
  ...{ replica: name, pid: 4_001, lanes, cpuPercent: 61.2, residentBytes: 131_072_000 },
})

test('load', () =>
  expectReport(
    loadReport([
      { consumer: 'payment', replicas: [replica('payment', [lane(0, 12_345), lane(1, 0), lane(3, 40)])] },
      {
        consumer: 'order-status',
        replicas: [
          replica('order-status-2', [lane(0, 0)]),
          replica('order-status-3', []),
          replica(null, [lane(2, undefined)]),
          replica('order-status@orders-host-17:30000', [lane(1, 7)]),
        ],
      },
    ]),
  ))

const passage = (number: number, change: Partial<Passage> = {}): Passage => ({
  ...{ lane: number, from: 'payment', to: 'payment-2', claims: 1, standstillMs: 27 * number, busy: true, ...change },
})
const totals = { taken: 120_000, duplicates: 3, parked: 1, faults: [] }

test('a change of replicas', () =>
  expectReport(
    changeReport({
      ...{ consumer: 'payment', replicas: { before: 1, after: 3 }, replaced: 0 },
      passages: [
        ...[0, 1, 2].map((number) => passage(number)),
        ...[3, 4, 5, 6, 9].map((number) => passage(number, { busy: false, to: 'payment-3' })),
        ...[7, 8].map((number) => passage(number, { claims: 0, to: 'payment' })),
      ],
      totals: { before: { ...totals, taken: 118_000 }, after: totals },
    }),
  ))

test('totals are told only if something happened before the change', () => {
  const none = { ...totals, duplicates: 0, parked: 0 }
  const { parts } = changeReport({
    ...{ consumer: 'payment', replicas: { before: 1, after: 2 }, replaced: 0, passages: [] },
    totals: { before: none, after: { ...none, parked: 2 } },
  })
  expect(parts).toContain('Meanwhile: 0 events processed, duplicates dropped: 0, parked: 2')
})

test('a restart that left faults in the ledger', () =>
  expectReport(
    changeReport({
      ...{ consumer: 'payment', replicas: { before: 2, after: 2 }, replaced: 1 },
      passages: [passage(0, { to: 'payment@orders-host-17:30000', standstillMs: 61_000 })],
      totals: {
        before: totals,
        after: { ...totals, faults: [...Array(12).keys()].map((n) => `orders/${n}: offsets 100 to 199 are missing`) },
      },
    }),
  ))

test('advice', () =>
  expectReport(
    adviceReport([
      {
        ...{ consumer: 'order-status', replicas: 1, needed: 4, lagSeconds: 7.13, behind: 123_456 },
        ...{ arrivingPerSecond: 1_200.4, takenPerSecond: 310 },
        because: [
          '1,200 events arrive a second and one replica processes 310',
          'lane 3 is paused, more do not help it',
        ],
      } as never,
    ]),
  ))
test('advice that nothing is to be done', () =>
  expectReport(
    adviceReport([
      {
        ...{ consumer: 'payment', replicas: 2, needed: 2, lagSeconds: 0, behind: 0, because: [] },
        ...{ arrivingPerSecond: 0, takenPerSecond: 0 },
      } as never,
    ]),
  ))

test('what a removal deletes', () =>
  expectReport(
    orphansReport('loyalty', {
      group: { id: 'shop.loyalty', members: 1 },
      schema: 'shop.loyalty',
      aside: ['shop.loyalty_rebuild_7'],
      rows: {
        ...{ points: 2_000_000, parked: 3, outbox_batch: 12, call: 1 },
        ...Object.fromEntries([...Array(15).keys()].map((n) => [`inbox_partition_${n}`, 12_345])),
      },
    }),
  ))
test('a removal of a consumer without anything', () =>
  expectReport(orphansReport('loyalty', { group: null, schema: null, aside: [], rows: {} })))
