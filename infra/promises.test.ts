import { expect, test } from '@jest/globals'
import { withDeadline } from './promises.ts'

const never = new AbortController().signal
const aborted = (signal: AbortSignal) =>
  new Promise<string>((resolve) => {
    const tell = () => resolve(String(signal.reason))
    if (signal.aborted) tell()
    else signal.addEventListener('abort', tell)
  })

test('work in time is left alone, and what it throws is thrown', async () => {
  expect(await withDeadline(never, 60_000, async (signal) => signal.aborted)).toBe(false)
  await expect(withDeadline(never, 60_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
})

test('work is told when its time is up', async () => {
  expect(await withDeadline(never, 5, aborted)).toContain('no answer within 5 ms')
})

test('work is told when all is stopped, before and while it runs', async () => {
  const outer = new AbortController()
  const told = withDeadline(outer.signal, 60_000, aborted)
  outer.abort(new Error('stopping'))
  expect(await told).toContain('stopping')
  expect(await withDeadline(outer.signal, 60_000, aborted)).toContain('stopping')
})
