import { expect, test } from '@jest/globals'
import { measureAllocations } from './allocations.ts'
import { readStored, whatAllocatesMore, whyTooSlow } from './stored.ts'

const stored = { ratios: { hop: 8, saga: 2 }, allocations: { encode: 1_000, decode: 500 } }

test.each([
  [8, false],
  [6, false],
  [5.9, true],
  [Number.NaN, true],
])('a ratio of %d where 8 was stored: too slow is %j', (measured, tooSlow) => {
  expect(whyTooSlow('hop', measured, stored) !== undefined).toBe(tooSlow)
})

test('what allocates half as much again is named, and so is what nobody has stored or measured', () => {
  expect(whatAllocatesMore({ encode: 1_500, decode: 500 }, stored)).toEqual([])
  expect(whatAllocatesMore({ encode: 1_501, decode: 500 }, stored)).toEqual([
    'encode allocates 1501 bytes an event, 1000 when that was stored',
  ])
  expect(whatAllocatesMore({ encode: 1_000, sort: 9 }, stored)).toHaveLength(2)
})

test('codec and decisions allocate what they did when that was stored, give or take half', async () => {
  expect(whatAllocatesMore(await measureAllocations(), readStored())).toEqual([])
})

test('the same code allocates the same bytes', async () => {
  const [first, second] = await Promise.all([measureAllocations(), measureAllocations()])
  for (const [name, bytes] of Object.entries(first)) {
    expect(bytes).toBeGreaterThan(100)
    expect(Math.abs((second[name] ?? 0) / bytes - 1)).toBeLessThan(0.02)
  }
})
