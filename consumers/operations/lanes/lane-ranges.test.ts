import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { laneRanges, parseLanes } from './lane-ranges.ts'

test('lanes are told as ranges', () => {
  expect(laneRanges([7, 0, 2, 1, 9, 10])).toBe('0-2,7,9-10')
  expect(laneRanges([])).toBe('')
})

test('what was told is understood', () => {
  const lanes = fc.uniqueArray(fc.nat(999), { minLength: 1 })
  fc.assert(fc.property(lanes, (some) => expect(parseLanes(laneRanges(some))).toEqual(some.toSorted((a, b) => a - b))))
})

test.each(['', 'x', '3-1', '1,', '-1', '1.5', '0-99999'])('"%s" is refused', (text) => {
  expect(() => parseLanes(text)).toThrow('neither a lane nor a range')
})
