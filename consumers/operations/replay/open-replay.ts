import { hostname } from 'node:os'
import type { Config } from '../../../infra/config.ts'
import { TallyError } from '../../../infra/errors.ts'
import { commandLogger, connectKafka } from '../../../infra/kafka/command-client.ts'
import { openTracer } from '../../../infra/monitor/tracer.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { currentConfig } from '../../../infra/topic-generations/current-config.ts'
import { loadConsumer, schemaName } from '../../runtime/load-consumer.ts'
import { connectCodec } from '../connect-codec.ts'
import type { ReplayContext } from './mode.ts'
import { migrateReplays, openReplayPool } from './replay-schema.ts'
import type { ReplayRow } from './run/replay-table.ts'
import { found } from './run/run-replay.ts'

/**
 * Opens the resources of a replay, of a group or (null) without one, and closes them after the work.
 * @throws TallyError USAGE for a group that does not exist, NOT_DEPLOYED for one without tables; UNREACHABLE
 */
export async function withReplayContext<T>(
  configured: Config,
  group: string | null,
  signal: AbortSignal,
  work: (context: ReplayContext) => Promise<T>,
): Promise<T> {
  const config = await currentConfig(configured)
  const log = commandLogger('replay', config)
  const definition = group === null ? undefined : await loadConsumer(group, config)
  const codec = await connectCodec(config, signal)
  await migrateReplays(config, log)
  const pool = openReplayPool(config, log, group === null ? undefined : schemaName(config.namespace, group))
  const tracing = config.monitor.otlp ? await openTracer('replay', `replay@${hostname()}:${process.pid}`) : undefined
  try {
    if (group !== null) await refuseUndeployed(pool, group)
    const kafka = connectKafka('replay', config)
    return await work({ config, kafka, codec, log, pool, definition, tracer: tracing?.tracer })
  } finally {
    await Promise.all([pool.end(), tracing?.stop()])
  }
}

async function refuseUndeployed(pool: Pool, group: string): Promise<void> {
  const { rows } = await pool.query<{ there: boolean }>(`select to_regclass('ledger') is not null as there`)
  if (rows[0]?.there) return
  throw new TallyError('NOT_DEPLOYED', `${group}: no tables yet. \`npm start\` or \`npm run deploy\` makes them`)
}

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
