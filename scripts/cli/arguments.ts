import { InvalidArgumentError } from 'commander'
import { parseLanes } from '../../consumers/operations/lanes/lane-ranges.ts'
import { isTallyError } from '../../infra/errors.ts'

/** For commander: a whole number of at least `min` and, where it matters, at most `max`. */
export const integer =
  (min: number, max = Number.POSITIVE_INFINITY) =>
  (text: string): number => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    const range = max === Number.POSITIVE_INFINITY ? `of at least ${min}` : `from ${min} to ${max}`
    throw new InvalidArgumentError(`It is not a whole number ${range}.`)
  }

/** For commander: a number above 0. */
export function positive(text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new InvalidArgumentError('It is not a number above 0.')
}

/** For commander: lanes such as `3` or `0-3,7`; if the option is repeated, all of them. */
export function lanes(text: string, before: readonly number[] = []): number[] {
  try {
    return [...new Set([...before, ...parseLanes(text)])]
  } catch (error) {
    throw isTallyError(error, 'USAGE') ? new InvalidArgumentError(error.message) : error
  }
}
