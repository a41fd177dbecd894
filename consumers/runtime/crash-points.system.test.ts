import { test } from '@jest/globals'
import { someSteps } from './testing/crash/plan.ts'
import { tryCrashPoints } from './testing/crash/try-crash-points.ts'

test(
  'killed at sixty of all steps, at some twice, a replica leaves nothing half done',
  () => tryCrashPoints(someSteps(60)),
  1_200_000,
)
