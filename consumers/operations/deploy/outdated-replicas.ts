import type { Config } from '../../../infra/config.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { Logger } from '../../../infra/logger.ts'
import { readRunningReplicas } from '../../runtime/tables/replicas/replica-table.ts'
import { deployedOf, readGroups } from '../groups.ts'

/** A running replica whose code lacks handlers that this code has. */
export interface OutdatedReplica {
  readonly consumer: string
  readonly replica: string
  /** Event types that it ignores; null: it is of a version that does not say what it handles. */
  readonly ignores: readonly string[] | null
}

/**
 * Running replicas that would ignore events that this code handles: their lanes count such an event as ignored, and only a
 * replay repairs that. Changes nothing.
 */
export async function findOutdatedReplicas(config: Config, log: Logger): Promise<OutdatedReplica[]> {
  const pool = createPool({ url: config.postgres.url, name: 'deploy', max: 1, log })
  try {
    const { deployed } = await deployedOf(pool, await readGroups(config))
    const found: OutdatedReplica[] = []
    for (const { name: consumer, schema, handles } of deployed)
      for (const { name: replica, handles: known } of await readRunningReplicas(pool, schema)) {
        const ignores = known && [...handles].filter((type) => !known.includes(type))
        if (ignores === null || ignores.length > 0) found.push({ consumer, replica, ignores })
      }
    return found
  } finally {
    await pool.end()
  }
}

/** A sentence for each consumer, with the next step. */
export function outdatedSentences(outdated: readonly OutdatedReplica[]): string[] {
  return [...Map.groupBy(outdated, ({ consumer }) => consumer)].map(([consumer, found]) => {
    const types = [...new Set(found.flatMap(({ ignores }) => ignores ?? []))]
    const replicas = found.map(({ replica }) => replica).join(', ')
    const what = types.length > 0 ? `ignores ${types.join(', ')}` : 'does not say which events it handles'
    return `${consumer}: older code runs that ${what} (${replicas}). Before such events are sent: npm run scale -- --restart ${consumer}`
  })
}
