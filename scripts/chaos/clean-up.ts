import { setTimeout as delay } from 'node:timers/promises'
import { schemaName } from '../../consumers/load-consumer.ts'
import { askRedrive } from '../../consumers/runtime/parking/ask-redrive.ts'
import { dropParked } from '../../consumers/runtime/parking/drop-parked.ts'
import { createPool } from '../../infra/postgres.ts'
import type { Pool } from '../../infra/postgres.ts'
import type { Logger } from '../../infra/telemetry.ts'
import { malformedHeader } from './malformed.ts'

/** What became of what was parked. */
export interface CleanedUp {
  /** Malformed records, dropped as a person would. */
  dropped: number
  /** Tried again by the lanes' owners, and handled. */
  redriven: number
  /** Still there in the end. */
  left: number
}

/** Drops the malformed records of this run and has everything else tried again until nothing is parked or time is up. */
export async function cleanUp(
  url: string,
  groups: readonly string[],
  withinMs: number,
  log: Logger,
): Promise<CleanedUp> {
  const deadline = performance.now() + withinMs
  const sum: CleanedUp = { dropped: 0, redriven: 0, left: 0 }
  for (const group of groups) {
    const pool = createPool({ url, schema: schemaName('', group), name: 'chaos', max: 1, log })
    try {
      let left: number | undefined
      while (left !== 0 && performance.now() < deadline) {
        left = await emptied(pool).catch(() => undefined) // A lane's owner may be slow to make way
        if (left !== 0) await delay(500)
      }
      sum.left += left ?? (await count(pool, 'select count(*) as n from parked'))
      sum.dropped += await count(pool, `select count(*) as n from parked_audit where action = 'DROPPED'`)
      sum.redriven += await count(pool, `select count(*) as n from parked_audit where action = 'HANDLED'`)
    } finally {
      await pool.end()
    }
  }
  return sum
}

/** @returns what is parked still */
async function emptied(pool: Pool): Promise<number> {
  const by = { actor: 'chaos', why: 'malformed on purpose' }
  const { rows } = await pool.query<{ id: number; malformed: boolean }>(
    `select id, headers ->> '${malformedHeader}' is not null as malformed from parked
     where reason <> 'BEHIND' and next_attempt_at is null or headers ->> '${malformedHeader}' is not null`,
  )
  const [malformed, waiting] = [rows.filter((row) => row.malformed), rows.filter((row) => !row.malformed)]
  const ids = (some: typeof rows) => some.map(({ id }) => id)
  if (malformed.length > 0) await dropParked(pool, { ids: ids(malformed) }, by)
  if (waiting.length > 0) await askRedrive(pool, { ids: ids(waiting) }, { actor: 'chaos' })
  return count(pool, 'select count(*) as n from parked')
}

const count = async (pool: Pool, sql: string): Promise<number> => (await pool.query<{ n: number }>(sql)).rows[0]?.n ?? 0
