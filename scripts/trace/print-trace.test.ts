import { expect, test } from '@jest/globals'
import { buildTrace } from '../../consumers/operations/trace/order-trace.ts'
import { traceLines } from './print-trace.ts'

const began = Date.UTC(2026, 0, 1)
const event = (id: string, type: string, source: string, time: number, causationId?: string, way: string[] = []) => ({
  ...{ id, type, writer: source, causationId, way },
  ...{ time: began + time, place: `topic/3@${time}`, publishedAt: began + time + 10 },
})

test('a trace is shown as a tree', () => {
  const trace = buildTrace({
    ...{ orderId: '019b2d6c-8f1e-7a63-9d53-0f3c2b6f1a77', status: 'ready' },
    events: [
      event('a', 'OrderPlaced', 'orders-api', 0),
      event('b', 'PaymentAuthorized', 'payment', 120, 'a', ['call authorize']),
      {
        ...event('c', 'StockReserved', 'inventory', 40, 'a'),
        time: undefined,
        place: undefined,
        publishedAt: undefined,
      },
    ],
    deliveries: [
      { eventId: 'a', group: 'payment', takenAt: began + 30 },
      { eventId: 'a', group: 'inventory', takenAt: began + 40 },
      { eventId: 'b', group: 'shipping', takenAt: began + 200 },
    ],
    pending: [
      { group: 'shipping', what: 'timer', eventId: 'b', kind: 'expire', attempts: 0 },
      { group: 'notifications', what: 'parked', eventId: 'a', kind: 'HANDLER_FAILED', attempts: 2, error: 'broken' },
    ],
    gaps: ['Events of this order on orders are older than the topic keeps.'],
    retries: [{ group: 'payment', eventId: 'a', action: 'HANDLED', actor: 'anna', at: began }],
    replays: [{ group: 'payment', eventId: 'a', replay: 7, mode: 'reprocess', actor: 'bob', at: began, undone: true }],
  })
  expect(traceLines(trace, 80)).toEqual([
    'Order 019b2d6c-8f1e-7a63-9d53-0f3c2b6f1a77: ready, 3 events in 120 ms',
    'Trace 019b2d6c8f1e7a639d530f3c2b6f1a77',
    '',
    'OrderPlaced by orders-api +0 s (topic/3@0, published after 10 ms)',
    '├─ payment took it after 20 ms',
    '│  ├─ was parked, then HANDLED by anna at 2026-01-01T00:00:00.000Z',
    '│  ├─ was reprocessed by replay 7 of bob, begun at 2026-01-01T00:00:00.000Z',
    '│  │     and undone since',
    '│  └─ call authorize → PaymentAuthorized +120 ms (topic/3@120, published',
    '│     │  after 10 ms)',
    '│     └─ shipping took it after 70 ms',
    '│        └─ shipping waits for the timer expire',
    '├─ inventory took it after 30 ms',
    '│  └─ StockReserved (waits in the outbox)',
    '└─ notifications',
    '   └─ notifications has parked it: HANDLER_FAILED, 2 attempts: broken',
    'Events of this order on orders are older than the topic keeps.',
  ])
})
