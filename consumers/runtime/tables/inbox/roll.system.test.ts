import { expect, test } from '@jest/globals'
import { newEventId } from '../../../../schemas/event-id.ts'
import { countTable } from '../../testing/tally-consumer.ts'
import { openTestBench } from '../../testing/test-bench.ts'
import { takeIds } from './inbox.ts'
import { maintainInboxAt } from './partitions.ts'
import { weekMs } from './weeks.ts'

/** Enough that reading them takes longer than batches may wait. */
const ids = 4_000_000
const perStatement = 500_000

test('millions of ids leave while batches go on: none waits longer than 200 ms for the inbox', async () => {
  await using bench = await openTestBench('weeks', countTable, 1)
  const { pool } = bench
  const now = Date.now()
  const begin = newEventId(now).slice(0, 13)
  // One in a hundred was taken late; as many again have no time
  for (let from = 0; from < ids; from += perStatement)
    await pool.query(
      `insert into inbox select (case n % 100 when 1 then 'ffffffff-ffff' else $1 end || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
         to_timestamp($2 / 1000.0) + case when n % 100 < 2 then interval '4 weeks' else interval '0' end
       from generate_series($3::int, $4::int) n`,
      [begin, now, from + 1, from + perStatement],
    )
  const kept = `${begin}-7000-8000-${(100).toString(16).padStart(12, '0')}`
  let rolling = true
  const waits: number[] = []
  const batches = (async () => {
    while (rolling) {
      const begunAt = performance.now()
      // Of the leaving week, of this week, and with a wrong clock
      await takeIds(pool, [newEventId(now), newEventId(now + 4 * weekMs), newEventId(now + 20 * weekMs)])
      waits.push(performance.now() - begunAt)
    }
  })()
  const { lockedMs } = await maintainInboxAt(pool, now + 4 * weekMs).finally(() => (rolling = false))
  await batches
  const longest = Math.max(...waits)
  bench.sandbox.log.info({ lockedMs, longest, batches: waits.length }, 'the inbox moved on')
  expect(lockedMs).toBeLessThan(200)
  expect(longest).toBeLessThan(200 + 100) // And its own work
  expect(await takeIds(pool, [kept])).toEqual(new Set())
})
