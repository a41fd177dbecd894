import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compare, lineAmountMinor, minorDigitsOf, parseDecimal } from './decimal.ts'
import type { Decimal } from './decimal.ts'

const decimal = (text: string): Decimal => {
  const value = parseDecimal(text)
  if (!value) throw new Error(`${text} is no decimal`)
  return value
}

describe('parseDecimal', () => {
  test.each([
    ['14', 14n, 0],
    ['9.80', 980n, 2],
    ['-0.05', -5n, 2],
    ['007', 7n, 0],
  ])('%s', (text, digits, scale) => expect(parseDecimal(text)).toEqual({ digits, scale }))

  test.each(['', '.5', '5.', '1e3', '1,000', '0x10', 'NaN', '1 000', '٣'])('refuses %j', (text) =>
    expect(parseDecimal(text)).toBeUndefined(),
  )
})

describe('lineAmountMinor', () => {
  test.each([
    ['14', 12, '0', 2, 16_800n],
    ['9.8', 10, '0.05', 2, 9_310n],
    ['0.05', 1, '0.1', 2, 5n], // 4.5 cents: half goes up
    ['0.05', 1, '0.11', 2, 4n], // 4.45
    ['1.15', 3, '0', 1, 35n], // 34.5
    ['2.675', 1, '0', 2, 268n], // 267.5, which a float takes for 267.49
    ['7.45', 15, '0.15', 2, 9_499n], // 9498.75
    ['100', 2, '1', 2, 0n],
    ['199', 3, '0', 0, 597n],
  ])('%s × %i − %s, %i decimals', (price, quantity, discount, digits, amount) =>
    expect(lineAmountMinor(decimal(price), quantity, decimal(discount), digits)).toBe(amount),
  )

  test('is within half a minor unit of the exact amount, and up at the half', () => {
    const price = fc.record({ digits: fc.bigInt(0n, 10n ** 9n), scale: fc.integer({ min: 0, max: 6 }) })
    const discount = fc.bigInt(0n, 1_000n).map((digits) => ({ digits, scale: 3 }))
    fc.assert(
      fc.property(price, fc.integer({ min: 1, max: 100_000 }), discount, (unitPrice, quantity, off) => {
        const rounded = lineAmountMinor(unitPrice, quantity, off, 2)
        const exactTimes = 10n ** BigInt(unitPrice.scale + 3) // the exact amount × this is whole
        const exact = unitPrice.digits * BigInt(quantity) * (1_000n - off.digits) * 100n
        const twiceError = 2n * (rounded * exactTimes - exact)
        expect(twiceError > -exactTimes && twiceError <= exactTimes).toBe(true)
      }),
    )
  })
})

test('compare looks at values, not at how they are written', () => {
  expect(compare(decimal('1.0'), decimal('1'))).toBe(0)
  expect(compare(decimal('0.99'), decimal('1'))).toBeLessThan(0)
  expect(compare(decimal('1.01'), decimal('1'))).toBeGreaterThan(0)
})

test('currencies have their own number of decimals', () => {
  expect(['EUR', 'JPY', 'KWD'].map(minorDigitsOf)).toEqual([2, 0, 3])
})
