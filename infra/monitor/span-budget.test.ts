import { randomBytes } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { SpanBudget } from './span-budget.ts'

const traces = (count: number) => Array.from({ length: count }, () => randomBytes(16).toString('hex'))

/** Offers one span of each trace, evenly over a second. @returns the traces that were kept */
function second(budget: SpanBudget, from: number, all: readonly string[]): string[] {
  return all.filter((trace, index) => {
    const now = from + (index * 1_000) / all.length
    if (!budget.keeps(trace, now)) return false
    budget.took(now)
    return true
  })
}

test('all traces are kept while they are few', () => {
  const budget = new SpanBudget(0)
  for (let at = 0; at < 10_000; at += 1_000) expect(second(budget, at, traces(450))).toHaveLength(450)
})

test('of many a share is kept, and all again once they are few', () => {
  const budget = new SpanBudget(0)
  const kept: number[] = []
  for (let at = 0; at < 10_000; at += 1_000) kept.push(second(budget, at, traces(20_000)).length)
  expect(kept[0]).toBeLessThan(3_000)
  for (const count of kept.slice(1)) expect([count > 125, count <= 750]).toEqual([true, true])
  const one = '0'.repeat(24) + 'ffffffff' // Only a share of 1 keeps it
  expect(budget.keeps(one, 10_100)).toBe(false)
  expect(budget.keeps(one, 16_000)).toBe(true)
})

test('what a process with a small share keeps, one with a greater share keeps as well', () => {
  const [busy, quiet] = [new SpanBudget(0), new SpanBudget(0)]
  second(busy, 0, traces(60_000))
  second(quiet, 0, traces(5_000))
  const asked = traces(5_000)
  const whole = asked.filter((trace) => busy.keeps(trace, 900))
  expect(whole.length).toBeGreaterThan(0)
  expect(whole.filter((trace) => !quiet.keeps(trace, 900))).toEqual([])
})

test('that all are kept again is noticed by who asks for that alone', () => {
  const budget = new SpanBudget(0)
  second(budget, 0, traces(20_000))
  expect(budget.keepsAll(900)).toBe(false)
  expect(budget.keepsAll(12_000)).toBe(true)
})
