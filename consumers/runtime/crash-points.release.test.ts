import { test } from '@jest/globals'
import { everyStep } from './testing/crash/plan.ts'
import { tryCrashPoints } from './testing/crash/try-crash-points.ts'

test.each([1, 2])(
  'killed at every step there is, and at some twice (seed %i), a replica leaves nothing half done',
  (seed) => tryCrashPoints(everyStep(seed)),
  1_200_000,
)
