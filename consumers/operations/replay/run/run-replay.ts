import { hostname } from 'node:os'
import type { Config } from '../../../../infra/config.ts'
import { TallyError } from '../../../../infra/errors.ts'
import { readCurrent } from '../../../../infra/topic-generations/generation-table.ts'
import { inTransaction } from '../../../../infra/postgres/transaction.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { executeRun } from './execute-run.ts'
import type { Following, ReplayEnd } from './execute-run.ts'
import { checkDrift } from '../plan/check-drift.ts'
import { groupStanding } from '../reading/group-standing.ts'
import type { ReplayContext, RunOptions } from '../mode.ts'
import { modes } from './modes.ts'
import type { Plan } from '../plan.ts'
import { beginRun, insertReplay, readOpenReplay, readRanges, readReplay } from './replay-table.ts'
import type { ReplayRow } from './replay-table.ts'
import { inTheWay, lockTarget } from './target-lock.ts'

export interface Starting extends Following {
  /** Who starts it, and why; kept with the replay. */
  readonly actor: string
  readonly why?: string
  /** Called with its id when it has begun. */
  onBegin?(id: number): void
}

/** Host and process, as shown to operators. */
export const thisRunner = (): string => `${hostname()}, process ${process.pid}`

/** The target of a replay of this plan, which it fills or moves; a target has at most one replay at a time. */
export const targetOf = ({ group, mode, toTopic }: Plan): string =>
  mode === 'copy' ? `topic ${toTopic}` : (group ?? 'nothing')

/**
 * Runs a plan. After a kill, it can be resumed from the saved progress.
 * @throws TallyError PRECONDITION_FAILED with all unmet preconditions, before anything is changed; FENCED if another
 * process resumed it
 */
export async function startReplay(
  context: ReplayContext,
  plan: Plan,
  options: RunOptions,
  { actor, why, onBegin, ...following }: Starting,
): Promise<ReplayEnd> {
  const target = targetOf(plan)
  await using lock = await lockTarget(context.pool, target)
  const open = await readOpenReplay(context.pool, target)
  if (open) throw new TallyError('PRECONDITION_FAILED', inTheWay({ ...open, attended: false }))
  await refuse(context, plan, options)
  // Redeliver itself records the group's positions when it moves the group
  const before =
    plan.mode === 'redeliver' || !context.definition ? [] : await groupStanding(context.pool, plan.partitions)
  const id = await inTransaction(context.pool, async (tx) => {
    const inserted = await insertReplay(tx, {
      plan,
      target,
      options: lasting(options),
      actor,
      why,
      runner: thisRunner(),
      before: new Map(before),
    })
    // Read after the insert: a change of the partitions now waits for this transaction and then finds an open replay
    await refuseOldTopics(tx, context.config)
    return inserted
  })
  if (id === undefined) throw new TallyError('INVARIANT', `two replays of ${target} began at once`)
  onBegin?.(id)
  // Awaited here: the lock is held until then
  return await executeRun(context, lock, { id, mode: plan.mode, plan, options, figures: {}, run: 1 }, following)
}

/**
 * Resumes a replay that was paused or stopped, or whose runner died.
 * @param changes of its options; `max` and `until` apply to one run
 * @throws TallyError as `startReplay`
 */
export async function resumeReplay(
  context: ReplayContext,
  id: number,
  changes: RunOptions,
  { onBegin, ...following }: Following & Pick<Starting, 'onBegin'> = {},
): Promise<ReplayEnd> {
  const { target } = await found(context, id)
  await using lock = await lockTarget(context.pool, target)
  const row = await found(context, id)
  if (row.state !== 'running' && row.state !== 'paused' && row.state !== 'stopped')
    throw new TallyError('PRECONDITION_FAILED', `replay ${id} is ${row.state}: there is nothing to resume`)
  const { plan, mode } = row
  const options = { ...row.options, ...changes }
  await refuse(context, await rest(context, row), options)
  const run = await beginRun(context.pool, id, thisRunner(), { state: 'running', options: lasting(options) })
  if (run === undefined) throw new TallyError('INVARIANT', `replay ${id} is gone`)
  onBegin?.(id)
  return await executeRun(context, lock, { id, mode, plan, options, figures: row.figures, run }, following)
}

/** @throws TallyError USAGE */
export async function found({ pool }: Pick<ReplayContext, 'pool'>, id: number): Promise<ReplayRow> {
  const row = await readReplay(pool, id)
  if (!row) throw new TallyError('USAGE', `there is no replay ${id}: \`npm run replay -- list\` shows those there are`)
  return row
}

/** @throws TallyError PRECONDITION_FAILED if the topics were re-created since this process read the configuration */
async function refuseOldTopics(tx: Tx, { namespace, generation }: Config): Promise<void> {
  const current = await readCurrent(tx, namespace)
  if (current && current.number !== generation)
    throw new TallyError(
      'PRECONDITION_FAILED',
      `the topics were re-created with ${current.partitions} partitions meanwhile: make a new plan`,
    )
}

/** JSON leaves out what is undefined. */
const lasting = (options: RunOptions): RunOptions => ({ ...options, max: undefined, until: undefined })

/** The rest of the plan: events before it may have been deleted meanwhile. */
async function rest({ pool }: ReplayContext, { id, plan }: ReplayRow): Promise<Plan> {
  const reached = new Map((await readRanges(pool, id)).map((each) => [`${each.topic}/${each.partition}`, each.next]))
  const from = ({ topic, partition, from: begin }: Plan['partitions'][number]) =>
    reached.get(`${topic}/${partition}`) ?? begin
  return { ...plan, partitions: plan.partitions.map((range) => ({ ...range, from: from(range) })) }
}

/** @throws TallyError PRECONDITION_FAILED with all unmet preconditions of a plan */
export async function refuse(context: ReplayContext, plan: Plan, options: RunOptions): Promise<void> {
  const sentences = await reasonsAgainst(context, plan, options)
  if (sentences.length === 0) return
  throw new TallyError(
    'PRECONDITION_FAILED',
    ['The plan cannot be run, nothing was changed:', ...sentences].join('\n  - '),
  )
}

/** All unmet preconditions of a plan, a sentence each. */
export async function reasonsAgainst(context: ReplayContext, plan: Plan, options: RunOptions): Promise<string[]> {
  const { fatal, drift } = await checkDrift(context, plan)
  return [
    ...fatal,
    ...(options.acceptDrift ? [] : drift.map((sentence) => `${sentence} (--accept-drift runs it anyway)`)),
    ...(options.acceptLost ? [] : lost(plan)),
    ...impossible(context, options),
    ...(fatal.length > 0 ? [] : await modes[plan.mode].preconditions(context, plan, options)),
  ]
}

const lost = ({ partitions }: Plan): string[] =>
  partitions.flatMap(({ topic, partition, lost: offsets }) =>
    offsets > 0
      ? [
          `${topic}/${partition}: retention has deleted ${offsets} offsets of the range (--accept-lost runs without them)`,
        ]
      : [],
  )

function impossible({ definition }: ReplayContext, { until, maxLag }: RunOptions): string[] {
  return [
    ...(until !== undefined && until <= Date.now() ? [`until ${new Date(until).toISOString()}: that is past`] : []),
    ...(maxLag !== undefined && !definition ? ['no group is replayed whose lag could be limited'] : []),
  ]
}
