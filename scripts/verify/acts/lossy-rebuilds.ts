import { openReplayPool } from '../../../consumers/operations/replay/replay-schema.ts'
import { readReplays } from '../../../consumers/operations/replay/run/replay-table.ts'
import type { Config } from '../../../infra/config.ts'
import type { Logger } from '../../../infra/logger.ts'

/** A rebuild of a group's tables that an operator ran although the topics lacked some of its events. */
export interface LossyRebuild {
  readonly group: string
  /** UTC epoch ms. */
  readonly at: number
  /** In words. */
  readonly act: string
}

const most = 10_000

/** Those that were not undone. */
export async function readLossyRebuilds(config: Config, log: Logger): Promise<LossyRebuild[]> {
  const pool = openReplayPool(config, log)
  try {
    const { rows } = await pool.query<{ there: boolean }>(`select to_regclass('replay') is not null as there`)
    if (!rows[0]?.there) return []
    const replays = await readReplays(pool, most)
    return replays
      .filter(({ mode, state, options }) => mode === 'rebuild' && state === 'done' && options.acceptLost)
      .map(({ id, target, actor, why, createdAt }) => ({
        ...{ group: target, at: createdAt.getTime() },
        act: `${actor} rebuilt ${target} without the events that are gone, replay ${id}${why ? ` (${why})` : ''}`,
      }))
  } finally {
    await pool.end()
  }
}
