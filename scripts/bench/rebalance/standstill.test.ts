import { expect, test } from '@jest/globals'
import { longestStandstill } from './standstill.ts'

test('the longest time between two publications counts, if it reaches into the range', () => {
  const times = [0, 500, 510, 700, 720, 1_720]
  expect(longestStandstill(times, 505, 715)).toBe(190)
  expect(longestStandstill(times, 400, 450)).toBe(450)
  expect(longestStandstill(times, 500, 510)).toBe(10)
})

test('what the next change leads to does not count', () => {
  expect(longestStandstill([0, 20, 40, 6_000], 10, 50)).toBe(20)
})

test('a lane that does not go on stands still to the end', () => {
  expect(longestStandstill([0, 500], 400, 1_600)).toBe(1_100)
})
