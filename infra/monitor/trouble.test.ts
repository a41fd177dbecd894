import { expect, test } from '@jest/globals'
import { Trouble } from './trouble.ts'

test('failures are reported once they have lasted, until an attempt succeeds', () => {
  const trouble = new Trouble()
  const now = performance.now()
  expect(trouble.report(now + 60_000)).toBeUndefined()
  trouble.failed(new Error('broken'), 0, now)
  trouble.failed(new Error('still broken'), 1_000, now + 4_000)
  expect(trouble.report(now + 4_500)).toBeUndefined()
  expect(trouble.report(now + 9_000)).toBeUndefined() // It was not tried again
  trouble.failed(new Error('still broken'), 1_000, now + 10_000)
  expect(trouble.report(now + 10_000)).toContain('still broken')
  trouble.passed()
  expect(trouble.report(now + 6_000)).toBeUndefined()
})

test('an attempt that took long to fail is reported at once', () => {
  const trouble = new Trouble()
  trouble.failed(new Error('no answer'), 6_000)
  expect(trouble.report()).toContain('no answer')
})

test('what is no longer attempted is no trouble', () => {
  const trouble = new Trouble()
  trouble.failed(new Error('lost'), 6_000)
  expect(trouble.report(performance.now() + 40_000)).toBeUndefined()
})
