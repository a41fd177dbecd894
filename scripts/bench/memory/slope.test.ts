import { expect, test } from '@jest/globals'
import { slopePerMinute } from './slope.ts'

test('steady growth has its rate as slope', () => {
  expect(slopePerMinute([100, 101, 102, 103, 104, 105], 2)).toBeCloseTo(30)
})

test('the first half does not count', () => {
  expect(slopePerMinute([10, 80, 99, 100, 100, 100, 100, 100, 100, 100], 1)).toBeCloseTo(0)
})

test('noise around a constant has no slope', () => {
  expect(slopePerMinute([5, 5, 5, 5, 6, 4, 4, 6], 1)).toBeCloseTo(0)
})

test.each([[[]], [[7]]])('%j has no slope', (values) => {
  expect(slopePerMinute(values, 1)).toBe(0)
})
