import { test } from '@jest/globals'
import { everyStep } from './testing/crash/plan.ts'
import { tryCrashPoints } from './testing/crash/try-crash-points.ts'

const seeds = [1, 2]

test.each(seeds)(
  'killed at every step there is, and at some twice (seed %i), a replica leaves nothing half done',
  (seed) => tryCrashPoints(everyStep(seed)),
  1_200_000,
)
