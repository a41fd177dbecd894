import { expect, test } from '@jest/globals'
import { pairsOf } from './testing/pairs-of.ts'

test.each([0, 1, 2, 3, 8, 14])('a walk over %i names meets every ordered pair once', (count) => {
  const names = Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index))
  const walk = pairsOf(names)
  const met = walk.slice(1).map((name, index) => `${walk[index]}${name}`)
  expect(new Set(met).size).toBe(count * count)
  expect(met).toHaveLength(count * count)
})
