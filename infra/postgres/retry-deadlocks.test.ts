import { expect, test } from '@jest/globals'
import { retryDeadlocks } from './retry-deadlocks.ts'

const databaseError = (code: string) => Object.assign(new Error('refused'), { code })

/** Fails so many times with this error, then succeeds. */
function failing(times: number, code: string) {
  let runs = 0
  const work = () => (++runs <= times ? Promise.reject(databaseError(code)) : Promise.resolve(runs))
  return { work, runs: () => runs }
}

test('a transaction that was the victim of deadlocks is run again until it commits', async () => {
  expect(await retryDeadlocks(failing(3, '40P01').work)).toBe(4)
})

test('no other error is retried, and no deadlock for ever', async () => {
  const refused = failing(1, '23505')
  await expect(retryDeadlocks(refused.work)).rejects.toMatchObject({ code: '23505' })
  expect(refused.runs()).toBe(1)
  const stubborn = failing(1_000, '40P01')
  await expect(retryDeadlocks(stubborn.work)).rejects.toMatchObject({ code: '40P01' })
  expect(stubborn.runs()).toBe(10)
})
