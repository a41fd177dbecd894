import { expect, test } from '@jest/globals'
import { longestStandstill } from './standstill.ts'

test('the longest time between two publications counts, if it reaches into the range', () => {
  const times = [0, 500, 510, 700, 720, 1_720]
  expect(longestStandstill(times, 505, 715)).toBe(190)
  expect(longestStandstill(times, 100, 200)).toBe(500)
  expect(longestStandstill(times, 505, 721)).toBe(1_000)
  expect(longestStandstill(times, 500, 510)).toBe(10)
})

test('a lane that never goes on stands still for ever', () => {
  expect(longestStandstill([0, 500], 400, 600)).toBe(Number.POSITIVE_INFINITY)
})
