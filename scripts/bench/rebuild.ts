import { openReplayPool, migrateReplays } from '../../consumers/replay/replay-schema.ts'
import type { ReplayContext } from '../../consumers/replay/mode.ts'
import type { Plan, PlanPartition } from '../../consumers/replay/plan.ts'
import { startReplay } from '../../consumers/replay/run-replay.ts'
import { consumerMigrations, loadConsumer, schemaName } from '../../consumers/load-consumer.ts'
import { openLedger, raiseEpoch } from '../../consumers/runtime/ledger.ts'
import { TallyError } from '../../infra/errors.ts'
import { withAdmin } from '../../infra/kafka.ts'
import { migrate } from '../../infra/migrate.ts'
import type { Sandbox } from '../../infra/testing/sandbox.ts'
import { generateEvents } from '../../producers/event-generator.ts'
import { Publisher } from '../../producers/publisher.ts'
import { createCodec } from '../../schemas/codec.ts'
import type { Codec } from '../../schemas/codec.ts'
import { registerSchemas } from '../../schemas/registry.ts'

const group = 'order-status'
const topic = 'orders'

export interface RebuildMeasures {
  readonly events: number
  /** Plain kafkajs, `eachBatch` and decoding, from the first batch to the last; events a second. */
  readonly read: number
  /** From the start of the replay to its end, the swap included; events a second. */
  readonly rebuild: number
  /** `rebuild / read`: the rest is what keeping a table exactly costs. */
  readonly ratio: number
  /** How long the lanes stood still for the swap, milliseconds. */
  readonly lockedMs: number
}

/**
 * Fills a topic with orders, each of its own key, which is the most work for a projection; reads it and rebuilds the
 * projection from it. Both in this process, one after the other.
 * @throws TallyError INVARIANT if the tables do not hold each event once
 */
export async function measureRebuild(
  sandbox: Sandbox,
  { events = 1_000_000, signal }: { events?: number; signal?: AbortSignal } = {},
): Promise<RebuildMeasures> {
  const codec = await prepare(sandbox, events)
  const read = await readPlainly(sandbox, codec, events)
  const rebuild = await rebuildTables(sandbox, codec, events, signal)
  return { events, read, ...rebuild, ratio: rebuild.rebuild / read }
}

/** Topics, schemas, and tables of a group whose positions say that it has taken everything. */
export async function prepare(sandbox: Sandbox, events: number): Promise<Codec> {
  const { config, kafka, namespace, log } = sandbox
  const registryUrl = config.registry.url
  await Promise.all([
    sandbox.createTopics(),
    registerSchemas({ registryUrl, namespace, readersOf: () => [], log }),
    migrate({
      url: config.postgres.url,
      schema: schemaName(namespace, group),
      folders: consumerMigrations(group),
      log,
    }),
    migrateReplays(config, log),
  ])
  const codec = await createCodec({ registryUrl, namespace, log })
  const publisher = await Publisher.connect({ kafka, namespace, codec })
  let waiting: ReturnType<typeof generateEvents> extends Generator<infer Event> ? Event[] : never = []
  for (const event of generateEvents('OrderPlaced', { count: events, seed: 1 })) {
    if (waiting.push(event) < 10_000) continue
    await publisher.publish(waiting)
    waiting = []
  }
  await publisher.publish(waiting)
  await publisher.stop()
  return codec
}

/** As somebody would read who only wants to see the events. */
export async function readPlainly({ kafka, namespace }: Sandbox, codec: Codec, events: number): Promise<number> {
  const consumer = kafka.consumer({ groupId: `${namespace}plain`, allowAutoTopicCreation: false })
  await consumer.connect()
  try {
    await consumer.subscribe({ topics: [`${namespace}${topic}`], fromBeginning: true })
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    let [seen, startedAt] = [0, 0]
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { messages } }) => {
        try {
          startedAt ||= performance.now()
          await codec.learn(new Set(messages.map(({ value }) => codec.schemaIdOf(value) ?? 0)))
          for (const { value } of messages) codec.decode(value)
          seen += messages.length
          if (seen >= events) resolve((events / (performance.now() - startedAt)) * 1_000)
        } catch (error) {
          reject(error)
        }
      },
    })
    return await promise
  } finally {
    await consumer.disconnect()
  }
}

export async function rebuildTables(
  sandbox: Sandbox,
  codec: Codec,
  events: number,
  signal?: AbortSignal,
): Promise<Pick<RebuildMeasures, 'rebuild' | 'lockedMs'>> {
  const { config, kafka, namespace, log } = sandbox
  const definition = await loadConsumer(group, config)
  const pool = openReplayPool(config, log, schemaName(namespace, group))
  try {
    const context: ReplayContext = { config, kafka, codec, log, pool, definition }
    const plan = await planOf(context)
    for (const { partition, to } of plan.partitions) {
      const epoch = await raiseEpoch(pool, partition, 'bench')
      await openLedger(pool, { lane: partition, epoch }, [{ topic, low: to }])
    }
    const startedAt = performance.now()
    const { state, reason, figures } = await startReplay(context, plan, {}, { actor: 'bench', signal })
    const ms = performance.now() - startedAt
    const { rows } = await pool.query<{ n: number }>('select count(*) as n from order_status')
    if (state !== 'done' || rows[0]?.n !== events)
      throw new TallyError('INVARIANT', `rebuild ${state} with ${rows[0]?.n} orders, not ${events}: ${reason}`)
    return { rebuild: (events / ms) * 1_000, lockedMs: figures['lockedMs'] ?? 0 }
  } finally {
    await pool.end()
  }
}

async function planOf({ kafka, config }: ReplayContext): Promise<Plan> {
  const offsets = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(`${config.namespace}${topic}`))
  const partitions = offsets.map(({ partition, low, high }): PlanPartition => {
    const [from, to] = [Number(low), Number(high)]
    const found = { scanned: to, selected: to, handled: to, known: to, forgotten: 0, lost: 0, bytes: 0 }
    return { topic, partition, low: from, end: to, from, to, position: to, firstTime: null, lastTime: null, ...found }
  })
  const topics = ['orders', 'payments', 'inventory', 'shipping'].map((name) => ({ topic: name, topicId: null }))
  return {
    format: 1,
    id: 'bench',
    createdAt: new Date().toISOString(),
    mode: 'rebuild',
    group,
    toTopic: null,
    cluster: { id: 'bench', namespace: config.namespace, partitions: config.partitions },
    topics,
    selector: {},
    partitions,
    schemas: [],
    unframed: 0,
    parkedEvents: 0,
  }
}
