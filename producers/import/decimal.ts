/** An exact decimal number: digits × 10^-scale. Money never touches a float. */
export interface Decimal {
  readonly digits: bigint
  readonly scale: number
}

/** Reads a decimal such as `9.8`, `-3` or `0.05`; undefined if malformed. No exponents, no thousands separators. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = /^(-?)(\d{1,12})(?:\.(\d{1,20}))?$/.exec(text)
  if (!match) return undefined
  const [, sign, whole = '', fraction = ''] = match
  return { digits: BigInt(`${sign}${whole}${fraction}`), scale: fraction.length }
}

export const zero: Decimal = { digits: 0n, scale: 0 }
export const one: Decimal = { digits: 1n, scale: 0 }

/** Negative, zero or positive, as `a` is less than, equal to or greater than `b`. */
export function compare(a: Decimal, b: Decimal): number {
  const difference = a.digits * 10n ** BigInt(b.scale) - b.digits * 10n ** BigInt(a.scale)
  return difference < 0n ? -1 : Number(difference > 0n)
}

/**
 * Price of an order line: unit price × quantity × (1 − discount), rounded half up once, at the end.
 * @param minorDigits decimals of the currency: 2 for cents
 * @returns minor units; no argument may be negative and no discount above 1
 */
export function lineAmountMinor(unitPrice: Decimal, quantity: number, discount: Decimal, minorDigits: number): bigint {
  const full = 10n ** BigInt(discount.scale)
  const exact = unitPrice.digits * BigInt(quantity) * (full - discount.digits) * 10n ** BigInt(minorDigits)
  const divisor = full * 10n ** BigInt(unitPrice.scale)
  return (2n * exact + divisor) / (2n * divisor)
}

/** Decimals of a currency: 2 for EUR, 0 for JPY. Source: Unicode CLDR, after ISO 4217. */
export const minorDigitsOf = (currency: string): number =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
