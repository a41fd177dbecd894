import { expect, test } from '@jest/globals'
import { runSeeds } from './run-seeds.ts'

const [first, last] = [301, 5_000]

test(`the runtime keeps its promises in the worlds ${first} to ${last}, too`, async () => {
  expect(await runSeeds({ first, last, workers: 2 })).toBeUndefined()
}, 1_800_000)
