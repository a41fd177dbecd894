import type { ReplayContext } from '../../consumers/operations/replay/mode.ts'
import { migrateReplays, openReplayPool } from '../../consumers/operations/replay/replay-schema.ts'
import type { ReplayRow } from '../../consumers/operations/replay/run/replay-table.ts'
import { found } from '../../consumers/operations/replay/run/run-replay.ts'
import type { Config } from '../../infra/config.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { commandLogger } from '../../infra/kafka/command-client.ts'
import { withReplayContext } from './context.ts'

/** Opens the tables of the replays, without a group's. */
export async function withReplays<T>(config: Config, work: (pool: Pool) => Promise<T>): Promise<T> {
  const log = commandLogger('replay', config)
  await migrateReplays(config, log)
  const pool = openReplayPool(config, log)
  try {
    return await work(pool)
  } finally {
    await pool.end()
  }
}

/** Opens the tables of a replay and of its group. @throws TallyError USAGE if there is no such replay */
export async function withReplay<T>(
  config: Config,
  id: number,
  signal: AbortSignal,
  work: (context: ReplayContext, row: ReplayRow) => Promise<T>,
): Promise<T> {
  const row = await withReplays(config, (pool) => found({ pool }, id))
  return withReplayContext(config, row.plan.group, signal, (context) => work(context, row))
}
