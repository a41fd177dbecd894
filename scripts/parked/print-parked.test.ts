import { test } from '@jest/globals'
import type { GroupRedrive } from '../../consumers/operations/parked/redrive-parked.ts'
import { expectReport } from '../testing/expect-report.ts'
import { dropReport } from './drop.ts'
import { logReport } from './log.ts'
import { listReport } from './ls.ts'
import { dryRunReport } from './print-dry-run.ts'
import { redriveReport } from './redrive.ts'
import { eventReport } from './show.ts'

const ago = (ms: number) => new Date(Date.now() - ms)
const key = '0198c6f2-49a5-7d1c-8ffc-c4a26a3f6272'
const error = 'lines[0].quantity is "two", which is not a whole number of at least 1\n    at handle (payment.ts:12)'

const entry = (group: string, id: number, more: object = {}) => ({
  ...{ group, id, lane: 3, key, type: 'OrderPlaced', source: 'record', reason: 'HANDLER_FAILED', error, attempts: 12 },
  ...{ parkedAt: ago(725_000), nextAttemptAt: null, head: id, place: 'orders/3:1234567', ...more },
})
const records = [
  {
    ...{ record: 'orders/3:1234567', key, type: 'OrderPlaced', source: 'record', parkedAt: ago(725_000) },
    events: [entry('payment', 17), entry('inventory', 4_321), entry('order-status', 9)],
  },
  {
    ...{ record: null, key: 'o-1', type: null, source: 'timer', parkedAt: ago(1_800_000) },
    events: [entry('shipping', 5, { error: null, reason: 'BEHIND', head: 4 })],
  },
] as never
const counts = (events: number) =>
  [
    {
      group: 'payment',
      reason: 'HANDLER_FAILED',
      events,
      heads: 12,
      waitForPerson: 12,
      oldest: ago(7_300_000),
      lastId: 1,
    },
    {
      group: 'order-status',
      reason: 'BEHIND',
      events: 3,
      heads: 0,
      waitForPerson: 0,
      oldest: ago(1_200_000),
      lastId: 2,
    },
  ] as never

test('a few parked events', () => expectReport(listReport(counts(1), records)))
test('many parked events', () => expectReport(listReport(counts(1_234_567), records, { newest: true })))
test('nothing is parked', () => expectReport(listReport([], [])))

test('the log', () =>
  expectReport(
    logReport([
      {
        ...{ at: new Date('2026-03-01T18:00:00.123Z'), group: 'order-status', parkedId: 4_321, action: 'EDITED' },
        ...{ actor: 'ann', key, source: 'record', place: 'orders/3 offset 1234567' },
        ...{ why: 'the sender wrote the quantity as text in all orders of the winter sale' },
      },
    ] as never),
  ))
test('a log in which an act on a record was done in several groups, and in one of them twice', () => {
  const drop = (group: string, parkedId: number, second: number, place: string | null = 'orders/3 offset 12') => ({
    ...{
      at: new Date(Date.UTC(2026, 2, 1, 18, 0, second)),
      group,
      parkedId,
      action: 'DROPPED',
      actor: 'ann',
      key: 'o-1',
    },
    ...{ why: 'a test order', source: place === null ? 'timer' : 'record', place },
  })
  expectReport(
    logReport([
      ...[drop('shipping', 3, 4, null), drop('payment', 7, 3), drop('payment', 6, 2), drop('inventory', 9, 1)],
    ] as never),
  )
})
test('an empty log', () => expectReport(logReport([])))

const row = {
  ...{ ...entry('payment', 17), topic: 'orders', partition: 3, offset: 1_234_567, eventId: key },
  ...{ recordTime: Date.parse('2026-03-01T18:00:00Z'), lastAttemptAt: ago(1_200_000), stack: error },
  headers: {
    ce_source: '/tally/orders-api',
    ce_type: 'OrderPlaced',
    traceparent: `00-${'0123456789abcdef'.repeat(6)}-01`,
  },
}
test('one event', () =>
  expectReport(
    eventReport({
      ...{
        group: 'payment',
        row,
        obstacles: [{ lane: 3, why: 'paused by ann' }],
        state: { status: 'open', note: error },
      },
      value: {
        kind: 'bytes',
        why: 'no schema id in front of the value',
        bytes: Buffer.from('not Avro, but a long text'),
      },
      queue: [row, ...[...Array(30).keys()].map((n) => entry('payment', 18 + n))],
      audit: [{ at: new Date('2026-03-01T18:00:00Z'), action: 'EDITED', actor: 'ann', why: 'wrong quantity' }],
    } as never),
  ))

test('dropped events', () =>
  expectReport(
    dropReport([
      { group: 'payment', events: 1_234 },
      { group: 'inventory', events: 1 },
    ]),
  ))

const outcome = { handled: 1_234, duplicates: 2, dropped: 1, failed: [], pending: [] }
test('a redrive that succeeds', () =>
  expectReport(redriveReport([{ group: 'payment', outcome, obstacles: [] }] as never)))
test('a redrive that fails', () =>
  expectReport(
    redriveReport([
      {
        group: 'payment',
        outcome: { ...outcome, failed: [...Array(12).keys()].map((n) => ({ ...entry('payment', n), behind: 3 })) },
        obstacles: [],
      },
      {
        group: 'order-status',
        outcome: { ...outcome, pending: [{ lane: 3, key, ids: [1] }] },
        obstacles: [{ lane: 3, why: 'paused by ann' }],
      },
    ] as unknown as GroupRedrive[]),
  ))

test('a dry run', () => {
  const data = { orderId: key, lines: [...Array(12).keys()].map((n) => ({ sku: `T-${n}`, quantity: n })) }
  expectReport(
    dryRunReport(
      [
        {
          ...{ group: 'payment', lane: 3, key, left: 2, shared: [], tables: [] },
          states: [
            { id: key, before: undefined, after: data },
            {
              id: 'order-2',
              before: { status: 'PENDING', seen: ['placed'], note: 'x'.repeat(900) },
              after: { status: 'PAID', seen: ['placed', 'authorized'], note: 'x'.repeat(900), paid: { amount: 12 } },
            },
            { id: 'order-3', before: data, after: data },
          ],
          events: [
            {
              ...{ id: 17, type: 'OrderPlaced', outcome: 'HANDLED', error: null, calls: [], timers: [] },
              events: [{ eventId: key, topic: 'payments', key, value: Buffer.alloc(0) }],
            },
          ],
        },
      ] as never,
      40,
      { decode: () => ({ type: 'PaymentAuthorized', data }) as never },
    ),
  )
})
