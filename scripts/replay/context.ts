// Stand-in until the real one is here: overwrite it
import { loadConsumer, schemaName } from '../../consumers/load-consumer.ts'
import type { ReplayContext } from '../../consumers/replay/mode.ts'
import { migrateReplays, openReplayPool } from '../../consumers/replay/replay-schema.ts'
import type { Config } from '../../infra/config.ts'
import { commandLogger, connectKafka } from '../cli/connect.ts'
import { connectCodec } from '../parked/registry.ts'

export async function withReplayContext<T>(
  config: Config,
  group: string | null,
  signal: AbortSignal,
  work: (context: ReplayContext) => Promise<T>,
): Promise<T> {
  const log = commandLogger('replay', config)
  await migrateReplays(config, log)
  const definition = group === null ? undefined : await loadConsumer(group, config)
  const codec = await connectCodec(config, signal)
  const pool = openReplayPool(config, log, group === null ? undefined : schemaName(config.namespace, group))
  try {
    return await work({ config, kafka: connectKafka('replay', config), codec, log, pool, definition })
  } finally {
    await pool.end()
  }
}
