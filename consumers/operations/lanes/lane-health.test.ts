import { describe, expect, test } from '@jest/globals'
import { conditionOf, judgeLanes } from './lane-health.ts'
import type { LaneRow } from './lane-row.ts'
import type { Extent } from './topic-ends.ts'
import { troublesOf } from './troubles.ts'

const pause = { actor: 'ann', reason: 'the gateway is being moved', ms: 300_000 }
const row = (some: Partial<LaneRow> = {}): LaneRow => ({
  lane: 0,
  epoch: 3,
  owner: 'payment@host:17',
  silentMs: 200,
  phase: 'live',
  reason: null,
  phaseMs: 120_000,
  pause: null,
  positions: { orders: 40 },
  again: null,
  parked: 0,
  forPersons: 0,
  outbox: 0,
  outboxMs: null,
  calls: 0,
  failingCalls: 0,
  callError: null,
  timers: 0,
  overdueTimers: 0,
  pace: null,
  ...some,
})
const judge = (some: Partial<LaneRow>, extent?: Extent) => {
  const ends = extent && new Map([['orders', new Map([[0, extent]])]])
  const [lane] = judgeLanes([row(some)], ['orders'], 1, ends)
  return lane!
}

test.each<[Partial<LaneRow>, string]>([
  [{}, 'live'],
  [{ phase: null }, 'claiming'],
  [{ phase: 'waiting' }, 'waiting'],
  [{ phase: 'stopped', pause }, 'stopped'],
  [{ pause }, 'pausing'],
  [{ pause, phase: 'paused' }, 'paused'],
  [{ phase: 'paused' }, 'live'], // Resumed a moment ago
  [{ silentMs: 9_000 }, 'silent'],
  [{ silentMs: 9_000, pause, phase: 'paused' }, 'silent'],
  [{ silentMs: null }, 'unowned'],
  [{ silentMs: null, pause }, 'paused'], // No owner processes it, and none will
])('%j is %s', (some, condition) => {
  expect(conditionOf(row(some))).toBe(condition)
})

describe('how far a lane is behind', () => {
  test('is what the broker holds and it has not read', () => {
    expect(judge({}, { low: 0, end: 47 }).behind).toBe(7)
  })

  test('is not known while the broker does not answer', () => {
    expect(judge({}).behind).toBeUndefined()
  })

  test('does not count what the broker has deleted, nor what came while we looked', () => {
    expect(judge({ positions: {} }, { low: 30, end: 47 }).behind).toBe(17)
    expect(judge({ positions: { orders: 50 } }, { low: 0, end: 47 }).behind).toBe(0)
  })

  test('is told in time, too: the longest of the steps its first unread event is older than', () => {
    expect(judge({}, { low: 0, end: 47, notOlder: [47, 45, 41, 40, 12] }).behindMs).toBe(600_000)
    expect(judge({}, { low: 0, end: 47, notOlder: [40, 40, 40, 40, 40] }).behindMs).toBe(0)
    expect(judge({ positions: { orders: 47 } }, { low: 0, end: 47, notOlder: [47, 47, 47, 47, 47] }).behindMs).toBe(0)
  })
})

test('lanes that were never claimed are listed', () => {
  const lanes = judgeLanes([row({ lane: 1 })], ['orders'], 3, undefined)
  expect(lanes.map(({ lane, condition }) => `${lane} ${condition}`)).toEqual(['0 unowned', '1 live', '2 unowned'])
})

test('lanes that have ended are not, unless something was left in them', () => {
  const rows = [row({ lane: 0 }), row({ lane: 1, owner: null }), row({ lane: 2, owner: null, parked: 1 })]
  expect(judgeLanes(rows, ['orders'], 1, undefined).map(({ lane }) => lane)).toEqual([0, 2])
})

describe('what an operator is told', () => {
  test('nothing of a lane that is well, busy or not', () => {
    const busy = judge({ outbox: 5, outboxMs: 80, calls: 3, timers: 9 }, { low: 0, end: 900, notOlder: [60, 40, 40] })
    expect(troublesOf(busy)).toEqual([])
  })

  test.each<[Partial<LaneRow>, string]>([
    [{ pause, phase: 'paused' }, 'paused by ann 5 min ago: the gateway is being moved'],
    [{ pause, silentMs: null }, 'paused by ann 5 min ago: the gateway is being moved (no replica runs)'],
    [{ phase: 'waiting', reason: 'no room' }, 'waiting for 2 min: no room'],
    [{ silentMs: 9_000 }, 'its owner payment@host:17 has been silent for 9 s'],
    [{ parked: 4, forPersons: 1 }, '4 parked, 1 of them for an operator: npm run parked -- ls'],
    [{ parked: 4 }, '4 parked, retried automatically'],
    [{ outbox: 5, outboxMs: 90_000 }, '5 events unpublished for 90 s'],
    [{ calls: 9, failingCalls: 2, callError: 'timeout' }, '2 calls without an answer: timeout'],
    [{ timers: 9, overdueTimers: 8 }, '8 timers overdue'],
  ])('%j', (some, sentence) => {
    expect(troublesOf(judge(some, { low: 0, end: 40 }))).toEqual([sentence])
  })

  test('that old events wait', () => {
    expect(troublesOf(judge({}, { low: 0, end: 47, notOlder: [47, 47] }))).toEqual([
      '7 events behind, the oldest for over 60 s',
    ])
  })

  test('that a transaction of another producer holds back records, unless it is younger than one in order', () => {
    const open = { topic: 'orders', partition: 0, offset: 40, end: 47, since: 1_790_000_000_000, openMs: 240_000 }
    const [sentence, ...more] = troublesOf(judge({}, { low: 0, end: 40, open }))
    expect(more).toEqual([])
    expect(sentence).toMatch(
      /^orders\/0: an open transaction at offset 40 since \S+Z \(4 min\) holds back 7 offsets until its producer commits or aborts it$/,
    )
    expect(troublesOf(judge({}, { low: 0, end: 40, open: { ...open, openMs: 900 } }))).toEqual([])
  })
})
