import { InvalidArgumentError } from 'commander'

/** For commander: a whole number of at least `min` and, where it matters, at most `max`. */
export const integer =
  (min: number, max = Number.POSITIVE_INFINITY) =>
  (text: string): number => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    const range = max === Number.POSITIVE_INFINITY ? `of at least ${min}` : `from ${min} to ${max}`
    throw new InvalidArgumentError(`it is not a whole number ${range}.`)
  }

/** For commander: a number above 0. */
export function positive(text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new InvalidArgumentError('it is not a number above 0.')
}
