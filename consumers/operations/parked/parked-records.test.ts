import { expect, test } from '@jest/globals'
import { parseEventName } from './choose-parked.ts'
import { byRecord } from './parked-records.ts'
import type { GroupEntry } from './parked-records.ts'

const entry = (group: string, id: number, record: string | null, more: Partial<GroupEntry> = {}): GroupEntry => ({
  group,
  id,
  record,
  lane: 0,
  key: 'o-1',
  source: record === null ? 'answer' : 'record',
  type: null,
  place: null,
  reason: 'HANDLER_FAILED',
  error: null,
  attempts: 1,
  parkedAt: new Date(id),
  nextAttemptAt: null,
  head: id,
  behind: 0,
  ...more,
})

test('events of several groups are grouped by their record; answers and timers stay alone', () => {
  const records = byRecord([
    entry('payment', 9, 'orders/0:1'),
    entry('payment', 7, null),
    entry('inventory', 7, null),
    entry('inventory', 3, 'orders/0:1', { type: 'OrderPlaced' }),
  ])
  expect(records.map(({ record, type, events }) => [record, type, events.map(({ group }) => group)])).toEqual([
    ['orders/0:1', 'OrderPlaced', ['inventory', 'payment']],
    [null, null, ['payment']],
    [null, null, ['inventory']],
  ])
})

test.each([
  ['17', { id: 17 }],
  ['payment/17', { group: 'payment', id: 17 }],
  ['orders/3:1200', { record: 'orders/3:1200' }],
  ['orders.g2/0:5', { record: 'orders.g2/0:5' }],
  ['orders/3', { group: 'orders', id: 3 }],
  ['orders/3:', undefined],
  ['payment', undefined],
])('%s names %j', (text, name) => expect(parseEventName(text)).toEqual(name))
