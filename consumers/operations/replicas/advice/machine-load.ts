import { cpus } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import { processorTimes } from '../../../../infra/processor-times.ts'
import type { Machine } from './measurement.ts'

/** Begins to measure the machine's processor utilization. @returns a function that ends the measurement */
export function watchProcessors(): () => Machine {
  const before = processorTimes()
  return () => {
    const after = processorTimes()
    const all = after.all - before.all
    return { cores: cpus().length, busy: all > 0 ? (after.busy - before.busy) / all : 0 }
  }
}

/** Interval between two samples of the connections. */
const lookEveryMs = 100

/**
 * Share of its database connections that each process had in use, 0 to 1, by application name. It shows the load of a
 * replica that mostly waits for the database.
 */
export async function watchConnections(pool: Pool, overMs: number, signal: AbortSignal): Promise<Map<string, number>> {
  const seen = new Map<string, { inUse: number; most: number }>()
  const until = performance.now() + overMs
  let looks = 0
  while (performance.now() < until) {
    const { rows } = await pool.query<{ name: string; all: number; inUse: number }>(
      `select application_name as name, count(*) as all, count(*) filter (where state <> 'idle') as "inUse"
       from pg_stat_activity where datname = current_database() and application_name <> '' group by 1`,
    )
    looks++
    for (const { name, all, inUse } of rows) {
      const sums = seen.get(name)
      seen.set(name, { inUse: inUse + (sums?.inUse ?? 0), most: Math.max(all, sums?.most ?? 0) })
    }
    await delay(lookEveryMs, undefined, { signal })
  }
  return new Map([...seen].map(([name, { inUse, most }]) => [name, inUse / looks / Math.max(1, most)]))
}
