import { expect, test } from '@jest/globals'
import { pairsOf } from './testing/pairs-of.ts'

test.each([0, 1, 2, 3, 8, 14])('a walk over %i names meets every pair, in few steps', (count) => {
  const names = Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index))
  const walk = pairsOf(names)
  const met = new Set(
    walk.slice(1).map((name, index) => [String(walk[index]), name].toSorted((a, b) => a.localeCompare(b)).join('')),
  )
  const pairs = (count * (count + 1)) / 2
  expect(met.size).toBe(pairs)
  expect(walk.length - 1).toBeLessThanOrEqual(pairs + count)
})
