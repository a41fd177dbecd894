import { expect, test } from '@jest/globals'
import { trackingNumber } from './tracking-number.ts'

test('the check digit is that of S10', () => {
  expect(trackingNumber(47312482)).toBe('TL473124829XX') // The standard's own example
  expect(trackingNumber(1)).toMatch(/^TL00000001\dXX$/)
})
