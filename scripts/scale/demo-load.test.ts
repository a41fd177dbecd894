import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { loadCurve } from './demo-load.ts'

const [peak, durationMs] = [300, 240_000]
const sampled = (seed: number) => {
  const curve = loadCurve(seed, peak, durationMs)
  return Array.from({ length: 240 }, (_, second) => curve(1_000 * second))
}

test('a load rises near its peak and never far above, falls in between, and ends before its time', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const rates = sampled(seed)
      expect(Math.max(...rates)).toBeGreaterThan(0.8 * peak)
      expect(Math.max(...rates)).toBeLessThanOrEqual(1.1 * peak)
      expect(Math.min(...rates.slice(0, 150))).toBeLessThan(0.5 * peak)
      expect(rates.slice(160).every((rate) => rate === 0)).toBe(true)
    }),
  )
})

test('the seed alone decides it', () => {
  expect(sampled(7)).toEqual(sampled(7))
  expect(sampled(7)).not.toEqual(sampled(8))
})
