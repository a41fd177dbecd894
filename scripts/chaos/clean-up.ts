import { setTimeout as delay } from 'node:timers/promises'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { askRedrive } from '../../consumers/operations/parked/redrive-parked.ts'
import { dropParked } from '../../consumers/operations/parked/drop-parked.ts'
import { countAudit } from '../../consumers/runtime/tables/audit.ts'
import { listStuck, reportParked, totalParked } from '../../consumers/runtime/tables/parked-figures.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { Logger } from '../../infra/logger.ts'
import { settle } from '../verify/settle.ts'
import type { Pipeline } from '../verify/settle.ts'
import { malformedHeader } from './malformed.ts'

/** Counts of the parked events by outcome. */
export interface CleanedUp {
  /** Malformed records, dropped as an operator would. */
  dropped: number
  /** Retried by the lanes' owners, and processed. */
  redriven: number
  /** Still parked. */
  left: number
}

export interface CleanUpOptions {
  pipeline: Pipeline
  databaseUrl: string
  withinMs: number
  log: Logger
  signal: AbortSignal
}

/**
 * Drops the malformed records of this run and redrives all other parked events, until nothing is in flight or parked, or the
 * time limit is reached. It waits for in-flight work first, because that may still be parked.
 */
export async function cleanUp({ pipeline, databaseUrl, withinMs, log, signal }: CleanUpOptions): Promise<void> {
  const pools = pipeline.groups.map(({ name }) =>
    createPool({ url: databaseUrl, schema: schemaName(pipeline.namespace, name), name: 'chaos', max: 1, log }),
  )
  try {
    for (const deadline = performance.now() + withinMs; performance.now() < deadline; ) {
      const moving = await settle(pipeline, 500, signal) // Shorter than any retry delay, so that retries are not waited for
      const parked = await Promise.all(pools.map((pool) => emptied(pool).catch(() => undefined)))
      if (moving.length === 0 && parked.every((left) => left === 0)) return
      await delay(500, undefined, { signal })
    }
  } finally {
    await Promise.all(pools.map((pool) => pool.end()))
  }
}

/** @returns the number of events still parked @throws if a lane stays locked by its owner */
async function emptied(pool: Pool): Promise<number> {
  const stuck = await listStuck(pool, malformedHeader)
  const idsOf = (malformed: boolean) => stuck.filter(({ marked }) => marked === malformed).map(({ id }) => id)
  const [malformed, waiting] = [idsOf(true), idsOf(false)]
  if (malformed.length > 0) await dropParked(pool, { ids: malformed }, { actor: 'chaos', why: 'malformed on purpose' })
  if (waiting.length > 0) await askRedrive(pool, { ids: waiting }, { actor: 'chaos' })
  return totalParked(pool)
}

/** Counts the outcome of every event ever parked. Call it at the end. */
export async function countCleanedUp(pool: Pool, { groups }: Pipeline): Promise<CleanedUp> {
  const sum: CleanedUp = { dropped: 0, redriven: 0, left: 0 }
  for (const { schema } of groups) {
    for (const { action, events } of await countAudit(pool, schema)) {
      if (action === 'DROPPED') sum.dropped += events
      if (action === 'HANDLED') sum.redriven += events
    }
    sum.left += (await reportParked(pool, schema)).length
  }
  return sum
}
