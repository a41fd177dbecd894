import type { Pool } from '../../../infra/postgres/pool.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import { takeIds } from '../tables/inbox/inbox.ts'
import { maintainInboxAt } from '../tables/inbox/partitions.ts'
import { weekMs } from '../tables/inbox/weeks.ts'

const perStatement = 1_000_000

/** The n-th id of the week of `now` (UTC epoch ms), as `fillWeek` makes it. */
export const nthId = (now: number, n: number): string =>
  `${newEventId(now).slice(0, 13)}-7000-8000-${n.toString(16).padStart(12, '0')}`

/**
 * Fills the inbox with ids of the week of `now`, in order; every hundredth was taken late, and as many have no time. Leaves
 * the table vacuumed, as autovacuum leaves one that was filled in a week.
 */
export async function fillWeek(pool: Pool, ids: number, now: number, signal?: AbortSignal): Promise<void> {
  const begin = newEventId(now).slice(0, 13)
  for (let from = 0; from < ids; from += perStatement) {
    signal?.throwIfAborted()
    await pool.query(
      `insert into inbox select (case n % 100 when 1 then 'ffffffff-ffff' else $1 end || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
         to_timestamp($2 / 1000.0) + case when n % 100 < 2 then interval '4 weeks' else interval '0' end
       from generate_series($3::int, $4::int) n`,
      [begin, now, from + 1, Math.min(from + perStatement, ids)],
    )
  }
  await pool.query('vacuum inbox')
}

/**
 * Moves the inbox on by four weeks, so that the week of `now` leaves, while batches add ids as fast as they can.
 * @returns milliseconds of each batch, ascending, and how long the inbox was locked
 */
export async function leaveWeek(pool: Pool, now: number): Promise<{ waits: number[]; lockedMs: number | undefined }> {
  let lockedMs: number | undefined
  const waits = await takeDuring(pool, now, async () => {
    lockedMs = (await maintainInboxAt(pool, now + 4 * weekMs)).lockedMs
  })
  return { waits, lockedMs }
}

/** Adds ids as fast as it can while `work` lasts. @returns milliseconds of each batch, ascending */
export async function takeDuring(pool: Pool, now: number, work: () => Promise<unknown>): Promise<number[]> {
  const waits: number[] = []
  let working = true
  const batches = (async () => {
    while (working) {
      const begunAt = performance.now()
      // Of the leaving week, of this week, and with a wrong clock
      await takeIds(pool, [newEventId(now), newEventId(now + 4 * weekMs), newEventId(now + 20 * weekMs)])
      waits.push(performance.now() - begunAt)
    }
  })()
  await work().finally(() => (working = false))
  await batches
  return waits.sort((a, b) => a - b)
}
