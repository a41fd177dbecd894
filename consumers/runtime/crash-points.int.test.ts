import { test } from '@jest/globals'
import { tryCrashPoints } from './testing/crash/try-crash-points.ts'

test('wherever a replica is killed, every event takes effect once, here and outside', () => tryCrashPoints(() => []))
