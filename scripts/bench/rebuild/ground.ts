import type { Plan, PlanPartition } from '../../../consumers/replay/plan.ts'
import { migrateReplays } from '../../../consumers/replay/replay-schema.ts'
import { consumerMigrations, schemaName } from '../../../consumers/load-consumer.ts'
import { openLedger, raiseEpoch } from '../../../consumers/runtime/ledger.ts'
import { withAdmin } from '../../../infra/kafka.ts'
import { migrate } from '../../../infra/migrate.ts'
import { createPool } from '../../../infra/postgres.ts'
import type { Sandbox } from '../../../infra/testing/sandbox.ts'

export const group = 'order-status'
const topic = 'orders'

/** Empty tables of the group, whose positions say that it has taken everything, and a plan of all there is. */
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
  return {
    format: 1,
    id: 'bench',
    createdAt: new Date().toISOString(),
    mode: 'rebuild',
    group,
    toTopic: null,
    cluster: { id: 'bench', namespace, partitions: config.partitions },
    topics: ['orders', 'payments', 'inventory', 'shipping'].map((name) => ({ topic: name, topicId: null })),
    selector: {},
    partitions: offsets.map(({ partition, high }) => whole(partition, Number(high))),
    schemas: [],
    unframed: 0,
    parkedEvents: 0,
  }
}

const whole = (partition: number, events: number): PlanPartition => ({
  topic,
  partition,
  low: 0,
  end: events,
  from: 0,
  to: events,
  position: events,
  lost: 0,
  scanned: events,
  selected: events,
  bytes: 0,
  firstTime: null,
  lastTime: null,
  handled: events,
  known: events,
  forgotten: 0,
})
