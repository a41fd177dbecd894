import type { Pool } from '../../../infra/postgres/pool.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'

/**
 * Measures, while `work` runs, for how long each lane stood at one position, the longest of it, milliseconds by lane. The
 * lanes need something to do all the time.
 * @param pool sees the consumer's schema
 * @param work is given `moving`, which resolves when every lane has moved once more
 */
export async function measureGaps(
  pool: Pool,
  lanes: number,
  work: (moving: () => Promise<void>) => Promise<void>,
): Promise<Map<number, number>> {
  const seen = new Map<number, { offset: number; at: number }>()
  const longest = new Map<number, number>()
  let moved = new Set<number>()
  let over = false
  const look = async (): Promise<void> => {
    const { rows } = await pool.query<{ lane: number; at: number }>(
      `select partition as lane, max(next_offset)::float8 as at from ledger where topic = 'orders' group by partition`,
    )
    const now = performance.now()
    for (const { lane, at } of rows) {
      const before = seen.get(lane)
      if (before && before.offset !== at) moved.add(lane)
      if (before) longest.set(lane, Math.max(longest.get(lane) ?? 0, now - before.at))
      if (before?.offset !== at) seen.set(lane, { offset: at, at: now })
    }
  }
  const looking = waitUntil('the measuring ends', async () => (await look(), over), { withinMs: 300_000 })
  const moving = async () => {
    moved = new Set()
    await waitUntil('every lane moves', () => moved.size === lanes)
  }
  try {
    await work(moving)
  } finally {
    over = true
    await looking
  }
  return longest
}
