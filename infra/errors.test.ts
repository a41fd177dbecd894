import { expect, test } from '@jest/globals'
import { describeError, errorCodes, TallyError } from './errors.ts'
import type { ErrorCode } from './errors.ts'

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

test('every code has a meaning of its own', () => {
  const meanings = Object.values(errorCodes)
  expect(new Set(meanings).size).toBe(meanings.length)
  expect(meanings.every((meaning) => meaning.length > 10)).toBe(true)
})

test('only an unreachable server is retried unless the thrower says otherwise', () => {
  const retryable = (Object.keys(errorCodes) as ErrorCode[]).filter((code) => new TallyError(code, '').retryable)
  expect(retryable).toEqual(['UNREACHABLE'])
})
