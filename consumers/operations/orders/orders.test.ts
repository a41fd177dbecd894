import { expect, test } from '@jest/globals'
import type { OrderEvent } from './order-event.ts'
import { inCausalOrder } from './causal-order.ts'
import type { GroupPart } from './group-part.ts'
import { mergeEvents } from './order-event.ts'
import type { OrderAccount } from './read-order.ts'
import { whyWaiting } from './why-waiting.ts'

const caused = (eventId: string, causationId: string | null, happenedAt: string) => ({
  eventId,
  causationId,
  happenedAt,
})

test('each event stands behind its cause, whatever the clocks of producers say', () => {
  const sorted = inCausalOrder([
    caused('shipped', 'paid', '12:00:01'),
    caused('paid', 'placed', '12:00:03'),
    caused('placed', null, '12:00:02'),
    caused('cancelled', 'unknown', '12:00:00'),
  ])
  expect(sorted.map(({ eventId }) => eventId)).toEqual(['cancelled', 'placed', 'paid', 'shipped'])
  const circle = [caused('a', 'b', '12:00:00'), caused('b', 'a', '12:00:01')]
  expect(inCausalOrder(circle)).toHaveLength(2)
})

const record = (eventId: string, offset: string, publishedAt: string): OrderEvent => ({
  ...{ eventId, inboxId: eventId, type: 'OrderPlaced', writer: 'orders-api', causationId: null, repeats: [] },
  ...{ place: { topic: 'orders', partition: 3, offset }, happenedAt: publishedAt, publishedAt, schemaId: 1, bytes: 9 },
  ...{ data: {}, unreadable: null, raw: null, summary: null, headers: {} },
})
const row = (eventId: string) => ({
  ...{ eventId, type: 'OrderPlaced', time: '2026-03-01T12:00:00.000Z', topic: 'orders', partition: 3, offset: '5' },
  summary: '2 articles, 3 units',
})

test('records with one id are one event and its repeats; what only the timeline knows is listed without a record', () => {
  const merged = mergeEvents(
    [record('e-1', '1200', '2026-03-01T12:00:02Z'), record('e-1', '7', '2026-03-01T12:00:01Z')],
    [row('e-1'), row('e-2')],
  )
  expect(merged).toMatchObject([
    { eventId: 'e-1', place: { offset: '7' }, repeats: [{ offset: '1200' }], summary: '2 articles, 3 units' },
    { eventId: 'e-2', place: { offset: '5' }, unreadable: 'its record was not read' },
  ])
})

test('a record without an id is the event of the timeline that lies at its place', () => {
  const unread = { ...record('orders/3 offset 5', '5', '2026-03-01T12:00:01Z'), type: 'unknown type', data: null }
  const elsewhere = record('orders/3 offset 6', '6', '2026-03-01T12:00:02Z')
  expect(mergeEvents([unread, elsewhere], [row('e-1')])).toMatchObject([
    { inboxId: 'e-1', type: 'OrderPlaced', place: { offset: '5' }, summary: '2 articles, 3 units' },
    { inboxId: 'orders/3 offset 6', place: { offset: '6' }, summary: null },
  ])
})

const now = Date.parse('2026-03-01T12:01:00Z')
const part = (changes: Partial<GroupPart>): GroupPart => ({
  ...{
    group: 'payment',
    handles: new Set(['OrderPlaced']),
    lane: undefined,
    reading: [{ topic: 'orders', next: 100, replays: [] }],
  },
  ...{ parked: [], audit: [], calls: [], timers: [], taken: new Map() },
  ...changes,
})
const lane = (condition: string, more: object = {}) =>
  ({ condition, reason: null, pause: null, owner: 'payment@a:1', ...more }) as never
const account = (part: GroupPart, changes: Partial<OrderAccount> = {}): OrderAccount => ({
  ...{
    orderId: 'o-1',
    lane: 3,
    events: [record('e-1', '7', '2026-03-01T12:00:00Z')],
    groups: [part],
    unpublished: [],
    gaps: [],
  },
  order: {
    ...{
      orderId: 'o-1',
      status: 'placed',
      reason: null,
      customerId: null,
      currency: null,
      totalMinor: null,
      placedAt: null,
    },
    ...{ updatedAt: '2026-03-01T12:00:00.000Z', endedAt: null },
  },
  ...changes,
})
const parked = {
  id: 17,
  head: 17,
  lane: 3,
  key: 'o-1',
  source: 'record',
  type: 'OrderPlaced',
  place: null,
  record: 'orders/3:7',
} as const

test.each([
  [
    'nothing is wrong',
    part({ lane: lane('live') }),
    [['Waits for the answer of payment and of inventory.', 'automatic']],
  ],
  [
    'an event is parked for an operator',
    part({
      lane: lane('live'),
      parked: [
        {
          ...parked,
          reason: 'HANDLER_FAILED',
          error: 'no price',
          attempts: 6,
          parkedAt: new Date(0),
          nextAttemptAt: null,
          behind: 2,
        },
      ],
    }),
    [
      [
        'payment has parked OrderPlaced after 6 attempts: no price. 2 later events of the order wait behind it. It waits for an operator.',
        'operator',
      ],
    ],
  ],
  [
    'its lane is paused and has not read it',
    part({ lane: lane('paused', { pause: { actor: 'ada', reason: 'the gateway moves', ms: 5 } }), reading: [] }),
    [['Lane payment/3 is paused by ada: the gateway moves. OrderPlaced is unread.', 'operator']],
  ],
  [
    'its lane is paused and has nothing to do for it',
    part({ lane: lane('paused') }),
    [['Waits for the answer of payment and of inventory.', 'automatic']],
  ],
  [
    'no replica runs',
    part({ reading: [] }),
    [['No replica of payment processes lane 3. OrderPlaced is unread.', 'operator']],
  ],
  [
    'a call has no answer',
    part({
      lane: lane('live'),
      calls: [
        {
          id: 'c',
          kind: 'authorize',
          attempts: 3,
          nextAttemptAt: new Date(now + 5_000),
          lastError: '503',
          request: {},
        },
      ],
      timers: [{ kind: 'deadline', dueAt: new Date(now + 240_000) }],
    }),
    [
      ['payment has no answer to its call "authorize" after 3 attempts: 503. The next is made in 5 s.', 'automatic'],
      ['payment decides without further events (timer "deadline") in 4 min.', 'automatic'],
    ],
  ],
])('why an order waits: %s', (_case, group, reasons) => {
  expect(whyWaiting(account(group), now).map(({ sentence, needs }) => [sentence, needs])).toEqual(reasons)
})

test('an order that has ended waits for nothing', () => {
  const ended = account(part({ reading: [] }))
  expect(whyWaiting({ ...ended, order: { ...ended.order!, endedAt: '2026-03-01T12:00:30.000Z' } }, now)).toEqual([])
})
