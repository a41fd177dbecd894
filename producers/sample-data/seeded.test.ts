import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { seededId, seededRandom, zipf } from './seeded.ts'

describe('seededId', () => {
  test('is a UUIDv5 that depends on every part', () => {
    const id = seededId('order', 42, 7)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(seededId('order', 42, 7)).toBe(id)
    expect(new Set([id, seededId('order', 42, 8), seededId('order', 4, 27), seededId('event', 42, 7)]).size).toBe(4)
  })

  test('stays what it was when the project was first released', () => {
    expect(seededId('order', 42, 0)).toBe('ec7620f4-5e2a-5db8-ab3e-861394769348')
  })
})

describe('seededRandom', () => {
  test('repeats itself and keeps within bounds', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(50), fc.nat(50), (seed, min, span) => {
        const [a, b] = [seededRandom('x', seed), seededRandom('x', seed)]
        for (let draw = 0; draw < 20; draw++) {
          const value = a.int(min, min + span)
          expect(value).toBe(b.int(min, min + span))
          expect(value).toBeGreaterThanOrEqual(min)
          expect(value).toBeLessThanOrEqual(min + span)
        }
      }),
    )
  })

  test('is even', () => {
    const random = seededRandom('even')
    const counts = Array.from({ length: 10 }, () => 0)
    for (let draw = 0; draw < 20_000; draw++) counts[random.int(0, 9)]! += 1
    for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThan(200)
  })
})

describe('zipf', () => {
  test('favours low ranks by the law it states and reaches them all', () => {
    const [random, draw] = [seededRandom('zipf'), zipf(10, 1)]
    const counts = Array.from({ length: 10 }, () => 0)
    for (let n = 0; n < 50_000; n++) counts[draw(random)]! += 1
    const weight = 50_000 / Array.from({ length: 10 }, (_, rank) => 1 / (rank + 1)).reduce((a, b) => a + b)
    counts.forEach((count, rank) => expect(Math.abs(count * (rank + 1) - weight) / weight).toBeLessThan(0.1))
  })
})
