import { expect, test } from '@jest/globals'
import { describeError } from './errors.ts'

test('an error is described with its innermost cause, once', () => {
  const refused = new Error('connect ECONNREFUSED')
  expect(describeError(new Error('no database', { cause: refused }))).toBe('no database: connect ECONNREFUSED')
  expect(describeError(new Error('it says: connect ECONNREFUSED', { cause: refused }))).toBe(
    'it says: connect ECONNREFUSED',
  )
  expect(describeError('a string')).toBe('a string')
})

test('what failed while things were put away does not hide what had failed before', () => {
  const error = new SuppressedError(new Error('not closed'), new Error('not reached'))
  expect(describeError(error)).toBe('not reached; then: not closed')
})
