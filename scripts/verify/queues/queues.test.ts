import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { handedOver } from '../invariants/handed-over.ts'
import type { HandedOver } from '../invariants/handed-over.ts'
import { messagesPlaced } from '../invariants/messages-placed.ts'
import { everyEnding } from '../testing/falsifications.ts'
import type { Writable } from '../testing/falsifications.ts'
import { soundEvidence } from '../testing/sound-evidence.ts'
import type { Evidence } from '../evidence.ts'
import { openDrainedIds } from './drained-ids.ts'

const evidence = () => soundEvidence(everyEnding) as Writable<Evidence>

const sound: HandedOver = {
  group: 'all',
  drained: new Map([
    ['a', 1],
    ['b', 1],
  ]),
  events: new Map([
    ['a', 'orders/0 offset 1'],
    ['b', 'orders/0 offset 2'],
  ]),
  unnamed: 0,
}

test.each<[string, Partial<HandedOver>, number, string]>([
  ['none', {}, 0, '2 events came out, 0 repeats, 0 missing'],
  [
    'none for repeats',
    { drained: new Map([...sound.drained, ['a', 3]]) },
    0,
    '2 events came out, 2 repeats, 0 missing',
  ],
  ['one for a missing event', { drained: new Map([['b', 1]]) }, 1, '1 events came out, 0 repeats, 1 missing'],
  [
    'one for an unknown one',
    { drained: new Map([...sound.drained, ['c', 1]]) },
    1,
    '3 events came out, 0 repeats, 0 missing',
  ],
  [
    'none for one without an id',
    { drained: new Map([...sound.drained, ['c', 1]]), unnamed: 1 },
    0,
    '3 events came out, 0 repeats, 0 missing',
  ],
  ['one for a missing one without an id', { unnamed: 1 }, 1, '2 events came out, 0 repeats, 1 missing'],
])('the queue of a forwarder: violations: %s', (_what, change, violations, figures) => {
  expect(handedOver({ ...sound, ...change }, evidence())).toMatchObject({ violations, figures })
})

test('an event that is parked or was skipped in the forwarder is not missing', () => {
  const kept = evidence()
  const account = kept.groups[0]!.account
  const nothing = { ...sound, drained: new Map<string, number>() }
  account.skipped.push({ topic: 'orders', partition: 0, from: 2, to: 3, actor: 'ann', why: 'junk', at: new Date(0) })
  expect(handedOver(nothing, kept)).toMatchObject({
    violations: 1,
    examples: [
      'a (orders/0 offset 1) did not come out of the queue',
      'b (orders/0 offset 2) did not come out of the queue: it is skipped by an operator',
    ],
  })
  const place = 'orders/0 offset 1'
  account.parked.push({
    key: 'o-1',
    type: 'OrderPlaced',
    reason: 'HANDLER_FAILED',
    source: 'record',
    place,
    error: null,
  })
  expect(handedOver(nothing, kept).violations).toBe(0)
})

test.each<[string, (evidence: Writable<Evidence>) => unknown, number]>([
  ['holds for sound accounts', () => {}, 0],
  ['finds two messages of one order', ({ tables }) => tables.messages.push({ ...tables.messages[0]!, id: 'm-x' }), 1],
  ['finds an order without its event', ({ tables }) => Object.assign(tables.messages[0]!, { orderId: 'o-x' }), 1],
  ['finds an order with two', ({ history }) => history.fold.orders.get('o-0')!.placed.push({} as never), 1],
])('each message is one order: %s', (_what, tamper, violations) => {
  const tampered = evidence()
  tamper(tampered)
  expect(messagesPlaced(tampered)).toMatchObject({ violations })
})

test('ids that came out of a queue are known later; a line that was cut off never was one', () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'tally-drained-')), 'data')
  try {
    using first = openDrainedIds(folder, 'rabbitmq-events')
    first.append(['a', 'line\nbreak'])
    first.append(['a'])
    const file = join(folder, 'drained', readdirSync(join(folder, 'drained'))[0] ?? '')
    appendFileSync(file, '"cut of')
    using second = openDrainedIds(folder, 'rabbitmq-events')
    second.append(['b'])
    expect(second.counts()).toEqual(new Map(Object.entries({ a: 2, 'line\nbreak': 1, b: 1 })))
  } finally {
    rmSync(join(folder, '..'), { recursive: true, force: true })
  }
})
