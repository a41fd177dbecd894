import { InvalidArgumentError } from 'commander'

/** For commander: a whole number of at least `min`. */
export const integer =
  (min: number) =>
  (text: string): number => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min) return value
    throw new InvalidArgumentError(`it is not a whole number of at least ${min}.`)
  }

/** For commander: a number above 0. */
export function positive(text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new InvalidArgumentError('it is not a number above 0.')
}
