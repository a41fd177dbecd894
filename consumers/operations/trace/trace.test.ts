import { expect, test } from '@jest/globals'
import { derivedEventId, newEventId } from '../../../schemas/event-id.ts'
import { findWay } from './find-way.ts'
import { buildTrace } from './order-trace.ts'
import type { TracedEvent } from './order-trace.ts'

const chainTime = Date.UTC(2026, 0, 1)
const cause = { id: newEventId(chainTime), time: chainTime }
const derive = (causeId: string, type: string, ordinal = 0) =>
  derivedEventId({ chainTime, group: 'payment', causeId, type, ordinal })
const emitted = (id: string) => ({ id, type: 'PaymentAuthorized', group: 'payment' })
const intents = ['call:authorize', 'call:void', 'timer:expire']

test('the way from an event to another is read from their ids', () => {
  const call = derive(cause.id, 'call:authorize')
  expect(findWay(cause, emitted(derive(cause.id, 'PaymentAuthorized')), intents)).toEqual([])
  expect(findWay(cause, emitted(derive(call, 'PaymentAuthorized', 1)), intents)).toEqual(['call authorize'])
  const then = derive(call, 'timer:expire')
  expect(findWay(cause, emitted(derive(then, 'PaymentAuthorized')), intents)).toEqual([
    'call authorize',
    'timer expire',
  ])
  expect(findWay(cause, emitted(newEventId()), intents)).toBeUndefined()
})

const event = (id: string, writer: string, time: number, causationId?: string): TracedEvent => ({
  ...{ id, type: 'OrderPlaced', writer, time, causationId, way: [] },
})

test('events stand under the consumer that emitted them and under the event that it took', () => {
  const trace = buildTrace({
    orderId: '019b2d6c-0000-7000-8000-000000000001',
    events: [event('c', 'shipping', 30, 'b'), event('a', 'orders-api', 10), event('b', 'payment', 20, 'a')],
    deliveries: [
      { eventId: 'a', group: 'inventory', takenAt: 12 },
      { eventId: 'a', group: 'payment', takenAt: 11 },
    ],
    pending: [
      { group: 'inventory', what: 'parked', eventId: 'a', kind: 'HANDLER_FAILED', attempts: 2 },
      { group: 'shipping', what: 'call', eventId: 'gone', kind: 'book', attempts: 0 },
    ],
    retries: [],
    replays: [],
    gaps: [],
    status: undefined,
  })
  expect(trace.traceId).toBe('019b2d6c000070008000000000000001')
  expect(trace.beganAt).toBe(10)
  expect(trace.roots).toMatchObject([
    {
      id: 'a',
      reactions: [
        {
          group: 'payment',
          takenAt: 11,
          events: [{ id: 'b', reactions: [{ group: 'shipping', events: [{ id: 'c' }] }] }],
        },
        { group: 'inventory', takenAt: 12, pending: [{ kind: 'HANDLER_FAILED' }], events: [] },
      ],
    },
  ])
  expect(trace.pending).toMatchObject([{ kind: 'book' }])
})

test('an event whose cause is unknown, or itself, is a root: nothing is hidden and nothing repeats', () => {
  const { roots } = buildTrace({
    ...{ orderId: 'x', deliveries: [], pending: [], retries: [], replays: [], gaps: [], status: undefined },
    events: [event('a', 'orders-api', 1, 'lost'), event('b', 'payment', 2, 'b')],
  })
  expect(roots.map(({ id }) => id)).toEqual(['a', 'b'])
})
