import { expect, test } from '@jest/globals'
import { seldom } from './seldom.ts'

test('what happens all the time is told at once, and then again and again at the interval', () => {
  let now = 0
  const isDue = seldom(10_000, () => now)
  const told: number[] = []
  for (; now < 35_000; now += 190) if (isDue()) told.push(now)
  expect(told).toEqual([0, 10_070, 20_140, 30_210])
})
