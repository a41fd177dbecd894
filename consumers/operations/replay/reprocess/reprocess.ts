import { describeError, TallyError } from '../../../../infra/errors.ts'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import { prepared } from '../../../../infra/postgres/transaction.ts'
import { awaitSent, wakeOwner } from './wake-owner.ts'
import { forgetHandled } from './handled-events.ts'
import type { ReplayContext, ReplayMode, ReplayRun } from '../mode.ts'
import { choosing, openSource } from '../reading/range-source.ts'
import { readStretches } from '../reading/read-stretches.ts'
import type { RangeSource } from '../reading/read-stretches.ts'
import { LaneReprocessing } from './reprocess-lane.ts'
import { reprocessPreconditions } from './preconditions.ts'

/** Maximum number of events per transaction: the lane's live events wait meanwhile. */
const atOnce = 100
/** Waking the owner costs the lane about two heartbeats, so it is not done for each transaction. */
const wakeOwnerEveryMs = 10_000

/**
 * Runs the handlers again on selected events below the group's positions, beside its replicas. Effects and progress are one
 * transaction under the lane's lock. The lanes' owners publish the resulting events and make the calls.
 */
export const reprocess: ReplayMode = {
  describe({ group, partitions }) {
    const handled = partitions.reduce((sum, each) => sum + each.handled, 0)
    return (
      `Runs the handlers of ${group} again on ${handled.toLocaleString('en')} events, beside its replicas. Resulting events keep their ids, so consumers ` +
      'that processed them drop them; calls are repeated with their original keys.'
    )
  },

  preconditions: reprocessPreconditions,

  async run(context, run) {
    const { definition, pool } = context
    if (!definition) throw new TallyError('USAGE', 'reprocess needs a group')
    await using source = await openSource(context, run.partitions, run.signal)
    const behind = await keysPassedOver(pool, run.id)
    for (const [lane, ranges] of Map.groupBy(run.partitions, ({ partition }) => partition)) {
      const reprocessing = new LaneReprocessing({ ...context, definition }, run, lane, ranges, behind)
      await takeLane(reprocessing, { context, run, source, lane })
    }
    await awaitSent(context, run)
    await forgetHandled(pool, run.id)
  },

  undo: 'others have used what the handlers emitted',

  async abandon({ pool }, run) {
    for (const lane of new Set(run.partitions.map(({ partition }) => partition))) await wakeOwner(pool, lane, run.id)
    await forgetHandled(pool, run.id)
  },
}

interface LaneOf {
  readonly context: ReplayContext
  readonly run: ReplayRun
  readonly source: RangeSource
  readonly lane: number
}

async function takeLane(reprocessing: LaneReprocessing, { context, run, source, lane }: LaneOf): Promise<void> {
  const { codec, pool, log } = context
  const ranges = run.partitions.filter(({ partition }) => partition === lane)
  const stretches = readStretches(source, ranges, {
    atOnce: () => run.atOnce(atOnce),
    ...choosing(run.plan.selector, codec),
  })
  try {
    let toSend = false
    for (let wokenAt = performance.now(); ; ) {
      run.signal.throwIfAborted()
      const { value: stretch } = await stretches.next()
      if (!stretch) return
      if (stretch.advances.length === 0) continue
      await run.pace(stretch.chosen.length)
      toSend = (await reprocessing.take(stretch)) || toSend
      if (!toSend || performance.now() - wokenAt < wakeOwnerEveryMs) continue
      await wakeOwner(pool, lane, run.id)
      wokenAt = performance.now()
      toSend = false
    }
  } finally {
    // Also for rows that a killed run has left. If this fails, the lane's next claim sends them
    await wakeOwner(pool, lane, run.id).catch((error: unknown) =>
      log.warn({ lane, error: describeError(error) }, 'lane owner not woken'),
    )
  }
}

const passedOver = prepared<{ key: string }>(
  'replay_keys_passed_over',
  'select distinct key from replay_failure where replay = $1 and key is not null',
)

/** Later events of these keys wait behind the failed ones, also after a resume. */
const keysPassedOver = async (pool: Pool, replay: number): Promise<Set<string>> =>
  new Set((await passedOver(pool, replay)).map(({ key }) => key))
