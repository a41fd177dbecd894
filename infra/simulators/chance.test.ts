import { describe, expect, test } from '@jest/globals'
import { createChance } from './chance.ts'

const keys = Array.from({ length: 5_000 }, (_, index) => `key-${index}`)

describe('chance', () => {
  test('draws depend on the seed and the key', () => {
    const draw = (seed: number) => keys.map((key) => createChance(seed).uniform(key, 'decline'))
    expect(draw(7)).toEqual(draw(7))
    expect(draw(8)).not.toEqual(draw(7))
  })

  test('draws for different purposes are independent and uniform', () => {
    const chance = createChance(1)
    const both = keys.filter((key) => chance.uniform(key, 'a') < 0.5 && chance.uniform(key, 'b') < 0.5)
    expect(both.length / keys.length).toBeCloseTo(0.25, 1)
  })

  test('latency is log-normal around the median', () => {
    const chance = createChance(1)
    const sorted = keys.map((key) => chance.latencyMs(key, 20)).sort((a, b) => a - b)
    const at = (share: number) => sorted[Math.floor(share * sorted.length)] as number
    expect(at(0)).toBeGreaterThan(0)
    expect(at(0.5) / 20).toBeCloseTo(1, 1)
    expect(at(0.99) / 20).toBeGreaterThan(2.5)
    expect(at(0.99) / 20).toBeLessThan(4)
  })

  test('ids depend on the key', () => {
    const chance = createChance(1)
    expect(new Set(keys.map((key) => chance.id('auth', key))).size).toBe(keys.length)
    expect(chance.id('auth', 'key-1')).toMatch(/^auth_[0-9a-f]{20}$/)
  })
})
