import { expect, test } from '@jest/globals'
import { retryDelayMs } from './retry-policy.ts'

const policy = { retryLimit: 5, retryFirstMs: 1_000, parkedLimit: 1_000 }

test('each delay is longer than the one before, up to ten minutes; then an operator decides', () => {
  const waits = [1, 2, 3, 4, 5].map((attempts) => retryDelayMs('HANDLER_FAILED', attempts, policy) ?? 0)
  for (const [index, ms] of waits.entries())
    expect(Math.abs(ms / Math.min(600_000, 1_000 * 5 ** index) - 1)).toBeLessThan(0.11)
  expect(Math.max(...waits)).toBeLessThanOrEqual(660_000)
  expect(retryDelayMs('HANDLER_FAILED', 6, policy)).toBeUndefined()
})

test('what killed the process or lies in a wrong partition is never tried again by itself', () => {
  expect(retryDelayMs('KILLED_PROCESS', 1, policy)).toBeUndefined()
  expect(retryDelayMs('MISROUTED', 1, policy)).toBeUndefined()
  expect(retryDelayMs('BEHIND', 0, policy)).toBeUndefined()
})
