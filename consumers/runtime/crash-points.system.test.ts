import { test } from '@jest/globals'
import { everyStep } from './testing/crash/plan.ts'
import { tryCrashPoints } from './testing/crash/try-crash-points.ts'

test(
  'killed at every step there is, and at some twice, a replica leaves nothing half done',
  () => tryCrashPoints(everyStep(1)),
  1_200_000,
)
