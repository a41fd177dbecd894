import { expect, test } from '@jest/globals'
import type { Drained } from '../../../infra/testing/queues/drain.ts'
import type { PublishedEvent } from './published.ts'
import { accountOf } from './queue-account.ts'

const event = (id: string, type: PublishedEvent['type'], key: string): PublishedEvent => ({
  ...{ id, type, key },
  topic: type === 'OrderPlaced' || type === 'CancellationRequested' ? 'orders' : 'payments',
})
const published = [
  event('e-1', 'OrderPlaced', 'o-1'),
  event('e-2', 'CancellationRequested', 'o-1'),
  event('e-3', 'PaymentVoided', 'o-1'),
  event('e-4', 'OrderPlaced', 'o-2'),
]
const drained = (...ids: string[]): Drained[] => ids.map((id) => ({ id, subject: '', body: '', attributes: {} }))
const sent = { orders: new Set(['m-1', 'm-2']), nonsense: new Set(['tea']) }
const taken = {
  orders: new Map([
    ['m-1', 'o-1'],
    ['m-2', 'o-2'],
  ]),
  deadLetters: new Set(['tea']),
}
const account = (
  given: Partial<typeof taken>,
  ids: string[],
  wanted: (type: PublishedEvent['type']) => boolean = () => true,
) => accountOf(sent, { ...taken, ...given }, published, { drained: drained(...ids), wanted })

test('repeats, and another order among topics and keys, are right', () => {
  expect(account({}, ['e-4', 'e-3', 'e-1', 'e-2', 'e-1'])).toEqual({
    ...{ orders: 2, deadLetters: 1, forwarded: 4, repeated: 1 },
    violations: [],
  })
})

test('only the chosen types are expected', () => {
  expect(account({}, ['e-1', 'e-4'], (type) => type === 'OrderPlaced').violations).toEqual([])
})

test('what is lost, doubled, foreign or out of order on the way in or out is named', () => {
  expect(account({ orders: new Map([['m-1', 'o-1']]) }, ['e-2', 'e-1', 'e-4', 'x']).violations).toEqual([
    '1 messages became no order: m-2',
    '1 events of the topics did not come out: e-3',
    '1 events came out that are not on the topics: x',
    '1 keys have events that came out in another order: orders/o-1',
  ])
  const twice = new Map([
    ['m-1', 'o-1'],
    ['m-2', 'o-1'],
    ['m-3', 'o-3'],
  ])
  expect(account({ orders: twice, deadLetters: new Set(['m-9']) }, ['e-1', 'e-2', 'e-3', 'e-4']).violations).toEqual([
    '1 orders belong to no message that was sent: m-3',
    '1 orders belong to several messages: o-1',
    '1 orders of messages have not exactly one OrderPlaced event: o-3',
    '1 messages that cannot be orders are no dead letters: tea',
    '1 orders are dead letters: m-9',
  ])
})
