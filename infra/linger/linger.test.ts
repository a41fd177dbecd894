import { expect, test } from '@jest/globals'
import { Linger, longestMs } from './linger.ts'

const fixedMs = 6
const perInputMs = 0.1

interface Outcome {
  readonly cycles: number
  /** From arrival to the beginning of the cycle, ms. */
  readonly waits: readonly number[]
}

/** Runs inputs that arrive at these times (ms) through cycles of `fixedMs` and `perInputMs` while processors are this scarce. */
function run(linger: Linger, arrivals: readonly number[], scarcity: (now: number) => number): Outcome {
  const waits: number[] = []
  let [cycles, now, next] = [0, arrivals[0] ?? 0, 0]
  while (next < arrivals.length) {
    now = Math.max(now, arrivals[next] as number)
    const ready = () => arrivals.filter((at, index) => index >= next && at <= now).length
    const waitMs = () => linger.waitMs(now, ready(), scarcity(now))
    for (let wait = waitMs(); wait > 0.001; wait = waitMs()) now += Math.min(wait, 1)
    const inputs = ready()
    linger.began(now)
    for (const at of arrivals.slice(next, next + inputs)) waits.push(now - at)
    next += inputs
    cycles++
    const ms = fixedMs + perInputMs * inputs
    now += ms
    linger.ended(inputs, ms)
  }
  return { cycles, waits }
}

/** `perSecond` arrivals during `seconds`, evenly. */
const steady = (perSecond: number, seconds: number, from = 0): number[] =>
  Array.from({ length: perSecond * seconds }, (_, index) => from + (index * 1_000) / perSecond)

const [plenty, scarce] = [() => 0, () => 1]

test('on a machine with time to spare nothing waits for more', () => {
  const without = steady(100, 5)
  const { cycles, waits } = run(new Linger(), without, plenty)
  expect(Math.max(...waits)).toBeLessThan(fixedMs + 1) // The cycle in progress only
  expect(cycles).toBeGreaterThan(250)
})

test('on a saturated machine the fixed price takes at most a twentieth of the time, and no input waits over the bound', () => {
  const { cycles, waits } = run(new Linger(), steady(100, 10), scarce)
  expect((cycles * fixedMs) / 10_000).toBeLessThan(0.06)
  expect(Math.max(...waits)).toBeLessThanOrEqual(longestMs + fixedMs + 10)
})

test('a step up lengthens the cycles within a second, a step down ends the waiting at once', () => {
  const linger = new Linger()
  const scarcity = (now: number) => (now >= 2_000 && now < 6_000 ? 1 : 0)
  run(linger, steady(100, 2), scarcity)
  expect(linger.state.floorMs).toBe(0)
  const loaded = run(linger, steady(100, 4, 2_000), scarcity)
  expect(loaded.cycles).toBeLessThan(4 * 12)
  const after = run(linger, steady(100, 2, 6_000), scarcity)
  expect(Math.max(...after.waits)).toBeLessThan(fixedMs + 10)
  expect(linger.state.floorMs).toBe(0)
})

test('a trickle does not wait even on a saturated machine', () => {
  const linger = new Linger()
  run(linger, steady(100, 2), scarce)
  const { waits } = run(linger, steady(2, 5, 3_000), scarce)
  expect(Math.max(...waits)).toBe(0)
})

test('the first of a burst goes at once; the rest goes in a few cycles within the bound', () => {
  const linger = new Linger()
  run(linger, steady(100, 2), scarce)
  const burst = Array.from({ length: 300 }, (_, index) => 5_000 + index * 0.1)
  const { cycles, waits } = run(linger, burst, scarce)
  expect(waits[0]).toBe(0)
  expect(cycles).toBeLessThanOrEqual(3)
  expect(Math.max(...waits)).toBeLessThanOrEqual(longestMs + 50)
})

test('inputs whose own work is large beside the price do not wait for more', () => {
  const linger = new Linger()
  for (const inputs of [10, 400, 50, 300, 100]) linger.ended(inputs, fixedMs + perInputMs * inputs)
  linger.began(1_000)
  expect(linger.state.priceMs).toBeCloseTo(fixedMs, 0)
  expect(linger.waitMs(1_001, 300, 1)).toBe(0)
  expect(linger.waitMs(1_001, 10, 1)).toBeGreaterThan(50)
})

test('what prepares a cycle waits for a share of the time', () => {
  const linger = new Linger()
  for (let cycle = 0; cycle < 20; cycle++) linger.ended(2, fixedMs)
  linger.began(1_000)
  const whole = linger.waitMs(1_000, 2, 1)
  expect(linger.waitMs(1_000, 0, 1, 0.7)).toBeCloseTo(0.7 * whole)
  expect(linger.waitMs(1_000 + 0.7 * whole, 0, 1, 0.7)).toBeCloseTo(0)
  expect(linger.waitMs(1_000 + 0.7 * whole, 2, 1)).toBeCloseTo(0.3 * whole)
})

test('between calm and saturated the time grows with the load', () => {
  const linger = new Linger()
  for (let cycle = 0; cycle < 20; cycle++) linger.ended(2, fixedMs)
  linger.began(1_000)
  const waits = [0, 0.25, 0.5, 0.75, 1].map((scarcity) => linger.waitMs(1_000, 2, scarcity))
  expect(waits[0]).toBe(0)
  expect(waits).toEqual(waits.toSorted((a, b) => a - b))
  expect(waits[1]).toBeGreaterThan(0)
  expect(waits.at(-1)).toBeLessThanOrEqual(longestMs)
})

test('a clock that goes backwards costs no more than the bound', () => {
  const linger = new Linger()
  linger.ended(1, 1_000)
  linger.began(1_000_000)
  expect(linger.waitMs(0, 1, 1)).toBeLessThanOrEqual(longestMs)
})
