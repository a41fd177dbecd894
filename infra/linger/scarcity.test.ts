import { expect, test } from '@jest/globals'
import { bestGauge, scarcity } from './scarcity.ts'

/** A process with counters of its own, on a clock of its own. */
function simulated() {
  let [now, short, of] = [0, 0, 0]
  const gauge = { read: () => ({ short, of }), plenty: 0.5, scarce: 0.9 }
  const scarce = scarcity(gauge, () => now)
  return {
    scarce,
    /** Time in which a share of what it needed was not to be had; it looks every `everyMs`. */
    pass(ms: number, share: number, everyMs = 50): number {
      for (const end = now + ms; now < end; ) {
        now += everyMs
        short += everyMs * share
        of += everyMs
        scarce()
      }
      return scarce()
    },
  }
}

test.each([
  ['nothing is short', 0, 0],
  ['as much is short as counts as plenty', 0.5, 0],
  ['something in the middle', 0.7, 0.5],
  ['as much is short as counts as scarce', 0.9, 1],
  ['all is short', 1, 1],
])('%s', (_, share, expected) => {
  expect(simulated().pass(10_000, share)).toBeCloseTo(expected, 2)
})

test('one bad moment is not scarcity, two seconds are', () => {
  const { pass } = simulated()
  pass(5_000, 0)
  expect(pass(200, 1)).toBe(0)
  expect(pass(2_000, 1)).toBeGreaterThan(0.9)
  expect(pass(2_000, 0)).toBe(0)
})

test('after a pause only what was seen since it counts', () => {
  const { pass } = simulated()
  pass(5_000, 1)
  expect(pass(5_000, 0, 5_000)).toBe(0)
})

test('a process that does nothing finds that there is plenty', () => {
  let now = 0
  const scarce = scarcity({ read: () => ({ short: 7, of: 9 }), plenty: 0.5, scarce: 0.9 }, () => now)
  now = 1_000
  expect(scarce()).toBe(0)
})

test('the real counters grow while this process works, and at most all of that was waiting', () => {
  const gauge = bestGauge()
  const before = gauge.read()
  const until = performance.now() + 5_000
  let seen = before
  while (seen.of === before.of && performance.now() < until) seen = gauge.read()
  expect(seen.of).toBeGreaterThan(before.of)
  expect(seen.short - before.short).toBeLessThanOrEqual(seen.of - before.of)
})
