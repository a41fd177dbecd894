import type { ConsumerDefinition } from '../../../runtime/handler.ts'
import type { TestBench } from '../../../runtime/testing/test-bench.ts'
import { schemaName } from '../../../runtime/load-consumer.ts'
import { migrateGenerations } from '../../../../infra/topic-generations/generation-table.ts'
import { withAdmin } from '../../../../infra/kafka/admin.ts'
import type { ReplayContext } from '../mode.ts'
import type { Plan, PlanPartition } from '../plan.ts'
import { planId } from '../plan/plan-id.ts'
import { migrateReplays, openReplayPool } from '../replay-schema.ts'
import { rangesOf } from './replay-of.ts'

export interface ReplayFrame extends AsyncDisposable {
  readonly context: ReplayContext
  /** A plan for all that these topics hold now. */
  plan(topics: readonly string[], more?: Partial<Plan>): Promise<Plan>
}

/** What a replay is started with, on a bench; without a definition as for a copy without a group. */
export async function openReplayFrame<S, R>(
  bench: TestBench,
  definition?: ConsumerDefinition<S, R>,
): Promise<ReplayFrame> {
  const { config, codec, sandbox } = bench
  await Promise.all([migrateReplays(config, sandbox.log), migrateGenerations(config, sandbox.log)])
  const schema = definition && schemaName(config.namespace, definition.group)
  const pool = openReplayPool(config, sandbox.log, schema)
  return {
    context: {
      config,
      kafka: sandbox.kafka,
      codec,
      log: sandbox.log,
      pool,
      definition: definition as ConsumerDefinition<unknown, unknown> | undefined,
    },
    async plan(topics, more = {}) {
      const ranges = (await Promise.all(topics.map((topic) => rangesOf(bench, topic)))).flat()
      const { clusterId } = await withAdmin(sandbox.kafka, (admin) => admin.describeCluster())
      const said: Omit<Plan, 'id'> = {
        format: 1,
        createdAt: new Date().toISOString(),
        mode: 'redeliver',
        group: definition?.group ?? null,
        toTopic: null,
        cluster: { id: clusterId, namespace: config.namespace, partitions: config.partitions },
        topics: topics.map((topic) => ({ topic, topicId: null })),
        selector: {},
        partitions: ranges.map((range): PlanPartition => {
          const events = range.to - range.from
          const found = {
            low: range.from,
            end: range.to,
            position: null,
            lost: 0,
            bytes: 0,
            known: events,
            forgotten: 0,
          }
          return {
            ...range,
            ...found,
            scanned: events,
            selected: events,
            handled: events,
            firstTime: null,
            lastTime: null,
          }
        }),
        schemas: [],
        unframed: 0,
        parkedEvents: 0,
        ...more,
      }
      return { ...said, id: planId(said) }
    },
    [Symbol.asyncDispose]: () => pool.end(),
  }
}
