import { expect, test } from '@jest/globals'
import { judgeLanes } from '../../../../consumers/operations/lanes/lane-health.ts'
import type { LaneRow } from '../../../../consumers/operations/lanes/lane-row.ts'
import { laneJson } from './lanes.ts'

const row: LaneRow = {
  ...{ lane: 0, epoch: 3, owner: 'payment@host:17', silentMs: 200, phase: 'live', reason: null, phaseMs: 120_000 },
  ...{ pause: null, positions: { orders: 40 }, again: null, parked: 0, forPersons: 0 },
  ...{ outbox: 0, outboxMs: null, calls: 0 },
  ...{ failingCalls: 0, callError: null, timers: 0, overdueTimers: 0, pace: null },
}
const troublesOf = (some: Partial<LaneRow>) => {
  const [lane] = judgeLanes([{ ...row, ...some }], ['orders'], 1, undefined)
  return laneJson('payment', lane!, undefined).troubles
}

test('each trouble of a lane has its own cure', () => {
  const pause = { actor: 'ann', reason: 'the gateway is being moved', ms: 300_000 }
  expect(troublesOf({ phase: 'paused', pause, parked: 3, forPersons: 1 })).toEqual([
    {
      text: 'paused by ann 5 min ago: the gateway is being moved',
      cure: 'npm run lanes -- resume payment --lane 0',
    },
    { text: '3 parked, 1 of them for an operator', cure: 'npm run parked -- ls --group payment' },
  ])
})
