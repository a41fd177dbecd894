import { expect, test } from '@jest/globals'
import { longestPause } from './longest-pause.ts'

test('the pause is the longest time between two publications that overlaps the range', () => {
  const times = [0, 500, 510, 700, 720, 1_720]
  expect(longestPause(times, 505, 715)).toBe(190)
  expect(longestPause(times, 400, 450)).toBe(450)
  expect(longestPause(times, 500, 510)).toBe(10)
})

test('a pause that begins after the range does not count', () => {
  expect(longestPause([0, 20, 40, 6_000], 10, 50)).toBe(20)
})

test('a lane that does not resume is paused to the end of the range', () => {
  expect(longestPause([0, 500], 400, 1_600)).toBe(1_100)
})
