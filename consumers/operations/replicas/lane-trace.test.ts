import { expect, test } from '@jest/globals'
import type { LaneProgress } from './lane-progress.ts'
import { LaneTrace } from './lane-trace.ts'

const at = (reached: number, changes: Partial<LaneProgress> = {}): LaneProgress => ({
  ...{ lane: 3, epoch: 1, owner: 'a', claimed: true, reached },
  ...changes,
})
const byB = { epoch: 2, owner: 'b' }

test('the pause of a lane that moves lasts from the last commit of its old owner to the first of its new one', () => {
  const trace = new LaneTrace(at(10), 0)
  trace.see(at(11), 300)
  trace.see(at(11, { ...byB, claimed: false }), 500)
  trace.see(at(11, byB), 600)
  expect(trace.goesOn).toBe(false)
  trace.see(at(12, byB), 700)
  trace.see(at(13, byB), 3_000)
  expect(trace.goesOn).toBe(true)
  expect(trace.passage()).toEqual({ lane: 3, from: 'a', to: 'b', claims: 1, standstillMs: 400, busy: true })
})

test('the pause of a quiet lane lasts until it is claimed', () => {
  const trace = new LaneTrace(at(10), 0)
  trace.see(at(10, { ...byB, claimed: false }), 500)
  trace.see(at(10, byB), 600)
  trace.see(at(10, byB), 2_000)
  expect(trace.passage()).toMatchObject({ standstillMs: 600, busy: false })
})

test('of two moves the longer standstill counts', () => {
  const trace = new LaneTrace(at(10), 0)
  trace.see(at(10, byB), 400)
  trace.see(at(11, byB), 500)
  trace.see(at(11, { epoch: 3, owner: 'c' }), 600)
  trace.see(at(12, { epoch: 3, owner: 'c' }), 700)
  expect(trace.passage()).toMatchObject({ from: 'a', to: 'c', claims: 2, standstillMs: 500 })
})

test('of a lane that stays the longest time between two commits counts', () => {
  const trace = new LaneTrace(at(10), 0)
  trace.see(at(11), 100)
  trace.see(at(12), 350)
  trace.see(at(13), 400)
  expect(trace.passage()).toMatchObject({ from: 'a', to: 'a', claims: 0, standstillMs: 250, busy: true })
})
