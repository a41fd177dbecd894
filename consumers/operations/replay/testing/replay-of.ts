import type { ConsumerDefinition } from '../../../runtime/handler.ts'
import type { TestBench } from '../../../runtime/testing/test-bench.ts'
import { schemaName } from '../../../runtime/load-consumer.ts'
import { withAdmin } from '../../../../infra/kafka/admin.ts'
import type { Advance, Figures, ReplayContext, ReplayFailure, ReplayPartition, ReplayRun, RunOptions } from '../mode.ts'
import type { Plan } from '../plan.ts'
import { migrateReplays, openReplayPool } from '../replay-schema.ts'

type Range = Pick<ReplayPartition, 'topic' | 'partition' | 'from' | 'to'>

/** All of a topic (without namespace), as its partitions are now. */
export const rangesOf = ({ sandbox }: TestBench, topic: string): Promise<Range[]> =>
  withAdmin(sandbox.kafka, async (admin) =>
    (await admin.fetchTopicOffsets(`${sandbox.namespace}${topic}`))
      .map(({ partition, low, high }) => ({ topic, partition, from: Number(low), to: Number(high) }))
      .filter(({ from, to }) => from < to),
  )

/** A replay for a mode to run without the frame around it. */
export interface ReplayOf extends AsyncDisposable {
  readonly context: ReplayContext
  readonly run: ReplayRun
  figures(): Figures
  /** Skipped events, and notes. */
  readonly failures: readonly ReplayFailure[]
  readonly notes: readonly string[]
  /** Summed over all ranges. */
  progress(): { next: number; scanned: number }
  /** Aborts the run. */
  stop(): void
  /** The same replay, run again from where it is. */
  resumed(): Promise<Pick<ReplayOf, 'run' | 'figures'>>
}

export async function openReplayOf<S, R>(
  bench: TestBench,
  definition: ConsumerDefinition<S, R>,
  ranges: readonly Range[],
  { options = {}, plan: more = {} }: { options?: RunOptions; plan?: Partial<Plan> } = {},
): Promise<ReplayOf> {
  const { config, codec, sandbox } = bench
  await migrateReplays(config, sandbox.log)
  const pool = openReplayPool(config, sandbox.log, schemaName(config.namespace, definition.group))
  const context: ReplayContext = {
    config,
    kafka: sandbox.kafka,
    codec,
    log: sandbox.log,
    pool,
    definition: definition as ConsumerDefinition<unknown, unknown>,
  }
  const found = { position: null, low: 0, end: 0, lost: 0, scanned: 0, selected: 0, bytes: 0, handled: 0, known: 0 }
  const plan = {
    mode: 'redeliver',
    group: definition.group,
    partitions: ranges.map((range) => ({ ...found, ...range, forgotten: 0, firstTime: null, lastTime: null })),
    schemas: [],
    selector: {},
    topics: [],
    ...more,
  } as unknown as Plan
  const { rows } = await pool.query<{ id: number }>(
    `insert into replay (plan_id, mode, target, plan, options, actor, runner)
     values ('test', 'redeliver', $1, '{}', '{}', 'test', 'test') returning id`,
    [definition.group],
  )
  const id = rows[0]!.id
  let partitions: ReplayPartition[] = ranges.map((range) => ({
    ...range,
    next: range.from,
    scanned: 0,
    selected: 0,
    before: null,
  }))
  for (const { topic, partition, from, to } of partitions)
    await pool.query(
      `insert into replay_partition (replay, topic, partition, from_offset, to_offset, next_offset)
       values ($1, $2, $3, $4, $5, $4)`,
      [id, topic, partition, from, to],
    )
  let figures: Record<string, number> = {}
  const failures: ReplayFailure[] = []
  const notes: string[] = []
  const advance = (advances: readonly Advance[], added: Figures = {}) => {
    partitions = partitions.map((range) => {
      const moved = advances.find((each) => each.topic === range.topic && each.partition === range.partition)
      if (!moved) return range
      const { next, scanned, selected } = moved
      return { ...range, next, scanned: range.scanned + scanned, selected: range.selected + selected }
    })
    for (const [name, n] of Object.entries(added)) figures = { ...figures, [name]: (figures[name] ?? 0) + n }
  }
  let abort = new AbortController()
  const begin = (): ReplayRun => ({
    id,
    plan,
    options,
    partitions,
    figures,
    signal: abort.signal,
    atOnce: (most) => Math.max(1, Math.min(most, options.rate ?? most)),
    pace: async () => abort.signal.throwIfAborted(),
    advance: async (_tx, advances, added) => advance(advances, added),
    noteFailures: async (tx, found) => {
      failures.push(...found)
      for (const { topic, partition, offset, key, type, reason, error } of found)
        await tx.query('insert into replay_failure values ($1, $2, $3, $4, $5, $6, $7, $8)', [
          id,
          topic,
          partition,
          offset,
          key,
          type,
          reason,
          error,
        ])
    },
    note: (text) => void notes.push(text),
  })
  return {
    context,
    run: begin(),
    figures: () => figures,
    failures,
    notes,
    progress: () => ({
      next: partitions.reduce((sum, { next }) => sum + next, 0),
      scanned: partitions.reduce((sum, { scanned }) => sum + scanned, 0),
    }),
    stop: () => abort.abort(new Error('stopped by the test')),
    async resumed() {
      abort = new AbortController()
      return { run: begin(), figures: () => figures }
    },
    async [Symbol.asyncDispose]() {
      await pool.query(`update replay set state = 'done' where id = $1`, [id]) // Only one of a group can be open
      await pool.end()
    },
  }
}
