import { expect, test } from '@jest/globals'
import { fillWeek, leaveWeek, nthId } from '../../testing/leaving-week.ts'
import { countTable } from '../../testing/tally-consumer.ts'
import { openTestBench } from '../../testing/test-bench.ts'
import { takeIds } from './inbox.ts'

/** Enough that reading them takes longer than batches may wait. */
const ids = 4_000_000

test('millions of ids leave while batches go on: none waits longer than 200 ms for the inbox', async () => {
  await using bench = await openTestBench('weeks', countTable, 1)
  const { pool } = bench
  const now = Date.now()
  await fillWeek(pool, ids, now)
  const kept = nthId(now, 100) // It was taken late
  const { waits, lockedMs } = await leaveWeek(pool, now)
  const longest = waits.at(-1)
  bench.sandbox.log.info({ lockedMs, longest, batches: waits.length }, 'the inbox moved on')
  expect(lockedMs).toBeLessThan(200)
  expect(longest).toBeLessThan(200 + 100) // And its own work
  expect(await takeIds(pool, [kept])).toEqual(new Set())
})
