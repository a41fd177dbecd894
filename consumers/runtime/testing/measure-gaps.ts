import type { Pool } from '../../../infra/postgres/pool.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'

/**
 * Measures the longest time each lane stayed at one position while `work` ran. The lanes must have work all the time.
 * @param pool sees the consumer's schema
 * @param work receives `moving`, which resolves when every lane has moved once more
 * @returns milliseconds by lane
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
  const looking = waitUntil('the measuring ends', () => over || look().then(() => over), { withinMs: 300_000 })
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
