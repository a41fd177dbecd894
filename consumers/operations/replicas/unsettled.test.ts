import { expect, test } from '@jest/globals'
import { unsettled } from './unsettled.ts'

/** Lane after lane: the pid of its owner; 0 = no owner. */
const lanes = (...owners: number[]) =>
  owners.map((pid, lane) => ({ lane, epoch: 1, owner: `payment@host:${pid}`, claimed: pid > 0, reached: 0 }))

test.each([
  ['every lane has an owner, evenly', lanes(1, 1, 2), [1, 2]],
  ['a replica started by hand has lanes, too', lanes(1, 9, 2), [1, 2]],
  ['more replicas than lanes', lanes(1, 2, 3), [1, 2, 3, 4, 5]],
])('settled: %s', (_what, standing, pids) => {
  expect(unsettled(standing, 3, pids)).toBeUndefined()
})

test.each([
  ['an unclaimed lane', lanes(1, 0, 2), [1, 2], 'no replica has lane 1'],
  ['a lane that was never owned', lanes(1, 2), [1, 2], 'no replica has lane 2'],
  ['a replica that got nothing yet', lanes(1, 2, 2), [1, 2, 3], '1 of its replicas have no lane'],
  ['a replica with too many', lanes(1, 1, 1, 2), [1, 2], 'lanes are shared unevenly: 3, 1'],
])('not settled: %s', (_what, standing, pids, missing) => {
  expect(unsettled(standing, Math.max(3, standing.length), pids)).toBe(missing)
})
