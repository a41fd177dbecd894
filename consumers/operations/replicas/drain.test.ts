import { expect, test } from '@jest/globals'
import { drainMs } from './consumer-load.ts'

const lane = (behind: number | undefined, takenPerSecond: number, arrivingPerSecond: number) => ({
  ...{ lane: 0, owner: 'a', lagMs: 0, behind, takenPerSecond, arrivingPerSecond },
})

test.each([
  ['nothing to do', [lane(0, 0, 0)], 0],
  ['no lane', [], 0],
  ['it gains on what arrives', [lane(1_000, 300, 100)], 5_000],
  ['nothing arrives', [lane(1_000, 100, 0)], 10_000],
  ['lanes together', [lane(1_000, 300, 100), lane(800, 200, 100)], 6_000],
  ['a little behind is keeping up', [lane(30, 300, 310)], 100],
  ['it falls behind further', [lane(1_000, 100, 200)], null],
  ['no progress', [lane(1, 0, 0)], null],
  ['the broker did not say', [lane(undefined, 100, 0)], undefined],
])('%s', (_what, lanes, ms) => {
  expect(drainMs(lanes)).toBe(ms)
})
