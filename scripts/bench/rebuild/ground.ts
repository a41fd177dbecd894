import { makePlan } from '../../../consumers/operations/replay/plan/make-plan.ts'
import type { Plan } from '../../../consumers/operations/replay/plan.ts'
import { migrateReplays, openReplayPool } from '../../../consumers/operations/replay/replay-schema.ts'
import { consumerMigrations, loadConsumer, schemaName } from '../../../consumers/runtime/load-consumer.ts'
import { raiseEpoch } from '../../../producers/outbox/lane-table.ts'
import { openLedger } from '../../../consumers/runtime/tables/ledger.ts'
import { withAdmin } from '../../../infra/kafka/admin.ts'
import { migrate } from '../../../infra/postgres/migrate.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import { createCodec } from '../../../schemas/codec/codec.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'

export const group = 'order-status'
const topic = 'orders'

/** Prepares empty tables of a group whose positions are at the end, and a plan of all events. */
export async function prepareRebuild({ config, kafka, namespace, log }: Sandbox): Promise<Plan> {
  const schema = schemaName(namespace, group)
  const folders = consumerMigrations(group)
  await Promise.all([migrate({ url: config.postgres.url, schema, folders, log }), migrateReplays(config, log)])
  const offsets = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(`${namespace}${topic}`))
  const pool = createPool({ url: config.postgres.url, schema, name: 'bench', log })
  try {
    for (const { partition, high } of offsets) {
      const epoch = await raiseEpoch(pool, partition, 'bench')
      await openLedger(pool, { lane: partition, epoch }, [{ topic, low: Number(high) }])
    }
  } finally {
    await pool.end()
  }
  const codec = await createCodec({ registryUrl: config.registry.url, namespace, log })
  const replayPool = openReplayPool(config, log, schema)
  try {
    const definition = await loadConsumer(group, config)
    return await makePlan({ config, kafka, codec, log, pool: replayPool, definition }, { mode: 'rebuild' })
  } finally {
    await replayPool.end()
  }
}
