// Rebuilds a projection, from the start of the replay to the swap.
import { loadConsumer, schemaName } from '../../../consumers/runtime/load-consumer.ts'
import type { Plan } from '../../../consumers/operations/replay/plan.ts'
import { openReplayPool } from '../../../consumers/operations/replay/replay-schema.ts'
import { startReplay } from '../../../consumers/operations/replay/run/run-replay.ts'
import { loadConfig } from '../../../infra/config.ts'
import { TallyError } from '../../../infra/errors.ts'
import { createKafka } from '../../../infra/kafka/client.ts'
import { silentLogger } from '../../../infra/logger.ts'
import { createCodec } from '../../../schemas/codec/codec.ts'
import { readParameters, startMeasuring } from '../measured.ts'
import { group } from './ground.ts'

const { plan, events } = readParameters<{ plan: Plan; events: number }>()
const config = loadConfig()
const { namespace } = config
const log = silentLogger
const codec = await createCodec({ registryUrl: config.registry.url, namespace, log })
const kafka = createKafka({ servers: config.kafka, clientId: 'bench', log })
const definition = await loadConsumer(group, config)
const pool = openReplayPool(config, log, schemaName(namespace, group))

const finish = startMeasuring()
const end = await startReplay({ config, kafka, codec, log, pool, definition }, plan, {}, { actor: 'bench' })
finish(events, { ...end.figures, ...(await countTables()) })
await pool.end()
if (end.state !== 'done') throw new TallyError('INVARIANT', `the rebuild is ${end.state}: ${end.reason}`)

async function countTables(): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ orders: number; entries: number; totalMinor: number }>(
    `select count(*) as orders, (select count(*) from timeline) as entries, sum(total_minor)::bigint as "totalMinor" from order_status`,
  )
  return rows[0] ?? {}
}
