import { expect, test } from '@jest/globals'
import { runSeeds } from './run-seeds.ts'

const [first, last] = [301, 2_000]

test(`the runtime violates no invariant in the worlds ${first} to ${last}`, async () => {
  expect(await runSeeds({ first, last, workers: 2 })).toBeUndefined()
}, 1_800_000)
