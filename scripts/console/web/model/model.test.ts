import { expect, test } from '@jest/globals'
import type { OrderEvent } from '../../contract/orders.ts'
import { formatMoney } from '../../../../infra/web/client/format-money.ts'
import { duration, relative } from './format-time.ts'
import { swimlanes } from './swimlane.ts'

test.each([
  ['123450', 'EUR', '€1,234.50'],
  ['5', 'EUR', '€0.05'],
  ['-1999', 'USD', '-$19.99'],
  ['1200', 'JPY', '¥1,200'],
  ['9223372036854775807', 'EUR', '€92,233,720,368,547,758.07'],
  ['12', 'no such', '12 no such'],
  [null, 'EUR', '–'],
])('%s %s is %s', (minor, currency, text) => expect(formatMoney(minor, currency)).toBe(text))

test('durations are read at a glance', () => {
  expect([0, 250, 3_200, 45_000, 240_000, 18_000_000, 259_200_000].map(duration)).toEqual([
    ...['0 ms', '250 ms', '3.2 s', '45 s', '4 min', '5 h', '3 d'],
  ])
  const now = Date.parse('2026-03-01T12:00:00Z')
  expect(relative('2026-03-01T11:56:00Z', now)).toBe('4 min ago')
  expect(relative('2026-03-01T12:00:05Z', now)).toBe('in 5.0 s')
})

const event = (
  type: string,
  writer: string,
  publishedAt: string,
  reads: Record<string, string | null>,
): OrderEvent => ({
  ...{ eventId: type, type, writer, publishedAt, happenedAt: publishedAt, causationId: null, depth: 0, place: null },
  ...{
    repeats: [],
    schema: null,
    bytes: 0,
    payload: null,
    changes: [],
    changedFrom: null,
    unreadable: null,
    raw: null,
  },
  ...{ summary: null, headers: [] },
  reads: Object.entries(reads).map(([consumer, at]) => ({
    ...{ consumer, at, replays: [], detail: null },
    state: at ? ('handled' as const) : ('unread' as const),
  })),
})

test('swimlanes: services in the order in which they acted; a long idle time does not hide a short one', () => {
  const picture = swimlanes([
    event('OrderPlaced', 'orders-api', '2026-03-01T12:00:00.000Z', { payment: '2026-03-01T12:00:00.010Z', mail: null }),
    event('PaymentAuthorized', 'payment', '2026-03-01T12:00:00.020Z', { shipping: '2026-03-01T13:00:00.000Z' }),
  ])
  expect(picture?.rows).toEqual(['orders-api', 'payment', 'shipping'])
  expect(picture?.spanMs).toBe(3_600_000)
  const xs = picture?.marks.map(({ x }) => x) ?? []
  expect(xs[0]).toBe(0)
  expect(Math.max(...xs)).toBe(1)
  expect(xs[1]).toBeGreaterThan(0.05) // Ten milliseconds of an hour
  expect(picture?.arcs).toHaveLength(2)
  expect(swimlanes([])).toBeUndefined()
})
