import { expect, test } from '@jest/globals'
import { measureAllocations } from './allocations.ts'
import { readStored, whatAllocatesMore, whyTooSlow } from './stored.ts'

const stored = { ratios: { hop: 8, saga: 2 }, allocations: { encode: 1_000, decode: 500 } }

test.each([
  [8, false],
  [6, false],
  [5.9, true],
  [Number.NaN, true],
])('with 8 stored, a ratio of %d is too slow: %j', (measured, tooSlow) => {
  expect(whyTooSlow('hop', measured, stored) !== undefined).toBe(tooSlow)
})

test('names steps that allocate over half as much again, or are only stored or only measured', () => {
  expect(whatAllocatesMore({ encode: 1_500, decode: 500 }, stored)).toEqual([])
  expect(whatAllocatesMore({ encode: 1_501, decode: 500 }, stored)).toEqual([
    'encode allocates 1501 bytes per event, 1000 in the reference',
  ])
  expect(whatAllocatesMore({ encode: 1_000, sort: 9 }, stored)).toHaveLength(2)
})

test('codec and decisions allocate at most half more than in the reference', async () => {
  expect(whatAllocatesMore(await measureAllocations(), readStored())).toEqual([])
})

test('the same code allocates the same bytes', async () => {
  const [first, second] = await Promise.all([measureAllocations(), measureAllocations()])
  for (const [name, bytes] of Object.entries(first)) {
    expect(bytes).toBeGreaterThan(100)
    expect(Math.abs((second[name] ?? 0) / bytes - 1)).toBeLessThan(0.02)
  }
})
